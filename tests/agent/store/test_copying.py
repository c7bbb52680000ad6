"""Before the schema changes there is a copy of the database, and one that is newer than the release is left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from agent.errors import NotPossibleYet
from agent.store import copying
from agent.store.copying import copies_before_upgrades, copy_before_upgrade
from agent.store.database import MIGRATIONS, Database, newest_version

AT = datetime(2026, 11, 3, tzinfo=UTC)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """Return a database of an older release, with a row."""
    database = Database(tmp_path / "db.sqlite3")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        connection.exec_driver_sql(
            "INSERT INTO training (started_at, trigger, outcome, metrics)"
            " VALUES ('2026-01-05', 'WORDS', 'failed', '{}')"
        )
    database.close()
    return tmp_path / "db.sqlite3"


def test_the_copy_is_the_database_as_it_was(older: Path) -> None:
    Database.open_file(older).close()
    (copy,) = copies_before_upgrades(older.parent)
    assert copy.name.startswith("before-upgrade-from-0006-")
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as before, closing(sqlite3.connect(older)) as now:
        assert before.execute("SELECT version_num FROM alembic_version").fetchall() == [("0006",)]
        assert now.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest_version(),)]
        rows = "SELECT trigger FROM training"
        assert before.execute(rows).fetchall() == now.execute(rows).fetchall() == [("WORDS",)]
    Database.open_file(older).close()
    assert copies_before_upgrades(older.parent) == [copy]


def test_a_new_database_is_not_copied(tmp_path: Path) -> None:
    Database.open_file(tmp_path / "db.sqlite3").close()
    assert copies_before_upgrades(tmp_path) == []


def test_the_newest_two_copies_stay(older: Path) -> None:
    made = [copy_before_upgrade(older, f"000{9 - day}", AT + timedelta(days=day)) for day in range(4)]
    assert set(copies_before_upgrades(older.parent)) == set(made[-2:])


def test_without_room_for_the_copy_nothing_is_upgraded(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "SLACK_BYTES", 1 << 60)
    with pytest.raises(NotPossibleYet, match=r"MB have to be free"):
        Database.open_file(older)
    with closing(sqlite3.connect(older)) as now:
        assert now.execute("SELECT version_num FROM alembic_version").fetchall() == [("0006",)]


def test_a_newer_database_is_refused_by_name_and_not_touched(older: Path) -> None:
    with closing(sqlite3.connect(older)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = older.read_bytes()
    with pytest.raises(NotPossibleYet, match=rf"db\.sqlite3 has schema 9999, .* needs {newest_version()}"):
        Database.open_file(older)
    assert older.read_bytes() == before
    assert copies_before_upgrades(older.parent) == []
