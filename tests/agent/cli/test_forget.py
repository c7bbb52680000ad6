"""`rolecall forget`: asks, deletes, and says what went and what could not be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from agent.cli import app
from agent.errors import BadInput
from agent.store.database import Database
from agent.store.tables import Review, Ticket, utcnow

WORDS = "ZEBRA-CANARY-7431"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agent.toml").write_text('roles = "roles.toml"\n')
    (tmp_path / "roles.toml").write_text('[[role]]\nname = "Network"\n')
    (tmp_path / "data").mkdir()
    database = Database.open_file(tmp_path / "data/rolecall.sqlite3")
    ticket = Ticket(key="plant:1", subject=WORDS, body="", filed_at=utcnow())
    review = Review(ticket_key="plant:1", roles=["Network"], strength=3, origin="x", at=utcnow())
    database.call(lambda session: session.add_all([ticket, review]))
    database.close()
    return tmp_path


def run(folder: Path, *words: str, says: str | None = None) -> Result:
    places = ["--config", str(folder / "agent.toml"), "--data", str(folder / "data")]
    return CliRunner().invoke(app, ["forget", *words, *places], input=says, env={"COLUMNS": "200"})


def kept(folder: Path) -> bool:
    return any(WORDS.encode() in file.read_bytes() for file in (folder / "data").iterdir() if file.is_file())


def test_it_asks_first_and_deletes_then(folder: Path) -> None:
    assert run(folder, "--ticket", "plant:1", says="n\n").exit_code == 1
    assert kept(folder)
    result = run(folder, "--ticket", "plant:1", says="y\n")
    assert result.exit_code == 0, result.exception
    assert "1 tickets to forget" in result.output
    assert "1 tickets forgotten; 0 comments on other tickets quoted one" in result.output
    assert "models that had learnt from them, deleted: none" in result.output
    assert not kept(folder)


def test_tickets_whose_requester_is_not_known_are_counted(folder: Path) -> None:
    result = run(folder, "--requester", "zoe@example.org", "--yes")
    assert "0 tickets forgotten" in result.output
    assert "1 tickets are kept of which it is not known who filed them: see --ticket" in result.output
    assert kept(folder)


@pytest.mark.parametrize("words", [(), ("--ticket", "plant:1", "--before", "2026-01-01")])
def test_exactly_one_thing_is_forgotten(folder: Path, words: tuple[str, ...]) -> None:
    assert isinstance(run(folder, *words).exception, BadInput)


def test_a_day_that_is_none_is_refused(folder: Path) -> None:
    assert run(folder, "--before", "last year").exit_code == 2
