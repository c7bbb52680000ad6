"""Each kind of error ends a command with a message that says what to do, and with its exit code."""

from __future__ import annotations

import errno
import io
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from agent import cli
from agent.cli.asking import Asker
from agent.cli.failures import DAMAGED, FIXABLE, INTERRUPTED, NO_READER, OUR_FAULT, failure
from agent.errors import NotPossibleYet
from agent.store.database import Database
from agent.store.jobs import QueueFull
from connectors.errors import Transient

TICKET = "the walrus cannot log in"


@pytest.fixture(autouse=True)
def traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where traces are kept in this test."""
    folder = tmp_path / "traces"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def of_sqlite(name: str) -> DBAPIError:
    original = sqlite3.OperationalError(TICKET)
    original.sqlite_errorname = name
    return OperationalError(f"SELECT {TICKET}", {"text": TICKET}, original)


@pytest.mark.parametrize(
    ("error", "code", "part"),
    [
        (NotPossibleYet("run `rolecall train` first"), FIXABLE, "run `rolecall train` first"),
        (QueueFull("see setting api.max_open_jobs"), FIXABLE, "see setting api.max_open_jobs"),
        (Transient("desk.example does not answer"), FIXABLE, "desk.example does not answer"),
        (OSError(errno.ENOSPC, "No space left on device", "data/x"), FIXABLE, "data/x: No space left on device"),
        (OSError(errno.EADDRINUSE, "Address already in use"), FIXABLE, "Address already in use"),
        (PermissionError(errno.EACCES, "Permission denied", "a", None, "b"), FIXABLE, "a → b: Permission denied"),
        (of_sqlite("SQLITE_BUSY_SNAPSHOT"), FIXABLE, "rolecall.sqlite3 in the data directory (setting data) is locked"),
        (of_sqlite("SQLITE_CORRUPT"), DAMAGED, "is damaged: stop the server and restore it from a backup"),
        (of_sqlite("SQLITE_FULL"), FIXABLE, "make room on the disk"),
        (of_sqlite("SQLITE_PROTOCOL"), FIXABLE, "network shares: choose a local disk"),
        (of_sqlite("SQLITE_ERROR"), FIXABLE, "`rolecall db check`"),
        (
            OperationalError("SELECT", {}, Exception("connection failed\nmore")),
            FIXABLE,
            "database_url names cannot be used",
        ),
        (KeyboardInterrupt(), INTERRUPTED, ""),
        (BrokenPipeError(), NO_READER, ""),
        (IntegrityError(TICKET, {}, sqlite3.IntegrityError(TICKET)), OUR_FAULT, "IntegrityError"),
        (KeyError(TICKET), OUR_FAULT, "KeyError"),
        (OSError(TICKET), OUR_FAULT, "OSError"),
    ],
)
def test_each_error_has_its_message_and_code(error: BaseException, code: int, part: str) -> None:
    failed = failure(error)
    assert failed.code == code
    assert part in failed.message
    assert bool(failed.message) == bool(part)
    assert "walrus" not in failed.message


def test_a_fault_of_our_own_is_one_line_and_its_trace_is_kept_for_its_owner(
    traces: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault(_: object) -> None:
        raise ValueError(TICKET)

    monkeypatch.setattr(cli, "app", fault)
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    told = capsys.readouterr().err
    assert ended.value.code == OUR_FAULT
    assert told.count("\n") == 1
    assert "a fault of Rolecall's own, ValueError at test_failures.py:" in told
    assert "walrus" not in told
    [kept] = traces.iterdir()
    assert str(kept) in told
    assert kept.stat().st_mode & 0o777 == 0o600
    assert f"ValueError: {TICKET}" in kept.read_text()


def test_where_no_trace_can_be_kept_the_message_says_so(traces: Path) -> None:
    traces.rmdir()
    assert "the trace could not be kept (No such file or directory)" in failure(KeyError(1)).message


def test_a_database_that_somebody_holds_is_told(tmp_path: Path) -> None:
    Database.open_file(tmp_path / "db").close()
    held, database = sqlite3.connect(tmp_path / "db"), Database(f"sqlite:///{tmp_path / 'db'}", busy_seconds=0)
    held.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(DBAPIError) as caught:
            database.upgrade()
    finally:
        held.close()
        database.close()
    assert "is locked by another process" in failure(caught.value).message


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agent.toml").write_text("")
    return tmp_path


def test_a_reader_that_goes_away_ends_it_quietly(folder: Path) -> None:
    """As `rolecall queue list | head` does."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "agent.cli", "queue", "status", "--config", str(folder / "agent.toml")]
    (folder / "data").mkdir(exist_ok=True)
    Database.open_file(folder / "data/rolecall.sqlite3").close()
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(
            [*command, "--data", str(folder / "data")], stdout=gone, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (NO_READER, "")


def test_a_terminal_that_lacks_a_letter_shows_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a system whose locale is one of the 1990s."""
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii", write_through=True))
    monkeypatch.setattr(cli, "app", lambda _arguments: print("Kühler läuft"))
    with pytest.raises(SystemExit) as end:
        cli.main([])
    assert (end.value.code, shown.getvalue()) == (0, b"K\\xfchler l\\xe4uft\n")


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt, INTERRUPTED), (EOFError, 1)])
def test_ctrl_c_at_a_question_ends_as_it_does_anywhere(
    monkeypatch: pytest.MonkeyPatch, raised: type[BaseException], code: int
) -> None:
    class Keyboard(io.StringIO):
        def readline(self, _size: int | None = -1, /) -> str:
            raise raised

    monkeypatch.setattr(sys, "stdin", Keyboard())
    monkeypatch.setattr(Asker, "alone", False)
    with pytest.raises(SystemExit) as ended:
        cli.main(["init"])
    assert ended.value.code == code


def test_help_and_readme_list_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    readme = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    for code in (1, FIXABLE, OUR_FAULT, INTERRUPTED, NO_READER):
        assert re.search(rf"\b{code}\b", told.partition("Exit codes")[2])
        assert re.search(rf"\b{code}\b", readme.partition("exit code")[2])
