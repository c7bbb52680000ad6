"""`rolecall queue` and `rolecall db` show and settle what the server left for a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.store import inbox
from agent.store.arrivals import Arrival, accept
from agent.store.database import Database, newest_version
from agent.store.tables import utcnow
from connectors.events import Event, Kind


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """Return options that name an installation with two dead letters and one event that waits."""
    (tmp_path / "agent.toml").write_text("")
    (tmp_path / "data").mkdir()
    database = Database.open_file(tmp_path / "data" / "rolecall.sqlite3")
    events = [Event(Kind.CREATED, str(n), f"d{n}") for n in range(3)]
    database.call(accept, [Arrival("desk", event, b"", utcnow()) for event in events])
    for job in database.call(inbox.claim, 2, utcnow()):
        database.call(inbox.bury, job, "no \x1b[31mright", utcnow())
    database.close()
    return ["--config", str(tmp_path / "agent.toml"), "--data", str(tmp_path / "data")]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_dead_letters_are_listed_without_control_characters(options: list[str]) -> None:
    listed = run("queue", "list", *options)
    assert [line.split()[:3] for line in listed.splitlines()] == [
        ["1", "desk:0", "created"],
        ["2", "desk:1", "created"],
    ]
    assert "\x1b" not in listed


def test_letters_are_put_back_or_dropped(options: list[str]) -> None:
    run("queue", "drop", "1", *options)
    run("queue", "retry", "--all", *options)
    status = run("queue", "status", *options)
    assert "waiting: 2" in status
    assert "dead: 0" in status


def test_the_kill_switch_is_shown(options: list[str]) -> None:
    run("queue", "pause", "--reason", "wrong rules", *options)
    assert "comments: paused, wrong rules" in run("queue", "status", *options)
    run("queue", "resume", *options)
    assert "comments: on" in run("queue", "status", *options)


def test_one_event_is_shown_whole(options: list[str]) -> None:
    assert "delivery_id: d2" in run("queue", "show", "3", *options)


def test_the_schema_is_checked_and_upgraded(options: list[str]) -> None:
    assert f"needs {newest_version()}" in run("db", "check", *options)
    assert f"schema {newest_version()}" in run("db", "upgrade", *options)
