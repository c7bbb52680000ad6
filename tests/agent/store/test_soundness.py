"""Damage to the database is found before somebody reads the page."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError
from sqlmodel import select

from agent.cli.failures import DAMAGED as CODE
from agent.cli.failures import failure
from agent.store import soundness
from agent.store.database import Database
from agent.store.soundness import DAMAGED, Soundness, damage
from agent.store.tables import Ticket, utcnow


@pytest.fixture
def hurt(tmp_path: Path) -> Database:
    """Return a database in which the pages of tickets are overwritten."""
    database = Database.open_file(tmp_path / "db.sqlite3")
    words = "zebra" * 1000
    rows = [Ticket(key=f"desk:{n}", subject=f"{n}", body=words, filed_at=utcnow()) for n in range(20)]
    database.call(lambda session: session.add_all(rows))
    database.close()
    content = bytearray((tmp_path / "db.sqlite3").read_bytes())
    for place in range(0, len(content), 4096):
        if b"desk:" in content[place : place + 4096]:
            content[place : place + 4096] = b"\xff" * 4096
    (tmp_path / "db.sqlite3").write_bytes(content)
    return Database(tmp_path / "db.sqlite3")


@pytest.mark.parametrize("thorough", [True, False])
def test_a_damaged_page_is_found(hurt: Database, thorough: bool) -> None:
    found = damage(hurt, thorough=thorough)
    hurt.close()
    assert found is not None
    assert "zebra" not in found


def test_control_a_sound_database_has_none(tmp_path: Path) -> None:
    database = Database.open_file(tmp_path / "db.sqlite3")
    assert damage(database, thorough=True) is damage(database, thorough=False) is None
    database.close()


def test_the_server_looks_after_its_start_and_says_what_to_do(hurt: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "FIRST_SECONDS", 0)
    looking = Soundness(hurt)
    assert looking.trouble() is None
    asyncio.run(looking.run())
    hurt.close()
    assert looking.trouble() == DAMAGED


def test_damage_has_an_exit_code_of_its_own(hurt: Database) -> None:
    with pytest.raises(DatabaseError, match="malformed") as caught:
        hurt.call(lambda session: [row.body for row in session.exec(select(Ticket))])
    hurt.close()
    assert failure(caught.value).code == CODE == 74


def test_a_header_that_is_none_is_damage_too(tmp_path: Path) -> None:
    (tmp_path / "db.sqlite3").write_bytes(b"\xff" * 8192)
    with pytest.raises(DatabaseError, match="not a database") as caught:
        Database.open_file(tmp_path / "db.sqlite3")
    assert failure(caught.value).code == CODE
