"""Map every error to a message and an exit code, for all commands.

| code | meaning |
|---|---|
| 0 | done |
| 1 | a check failed |
| 2 | the command, a setting, a file, the database or another system must be fixed first; the message names it |
| 70 | a bug in Rolecall; the message names the file with the traceback |
| 74 | the database is damaged: stop the server and restore a backup |
| 130 | ended by Ctrl-C |
| 141 | the reader of the output has gone, as in `rolecall queue list | head` |
| 143 | a training that SIGTERM ended; nothing half made is left |
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

from agent.errors import RolecallError

DAMAGED = 74
FIXABLE, OUR_FAULT, INTERRUPTED, NO_READER, TERMINATED = 2, 70, 130, 141, 143

SQLITE = {
    "SQLITE_NOTADB": "is no database: restore it from a backup",
    "SQLITE_CORRUPT": "is damaged: stop the server and restore it from a backup",
    "SQLITE_BUSY": "is locked by another process: try again, or end what holds it",
    "SQLITE_LOCKED": "is locked by another process: try again, or end what holds it",
    "SQLITE_FULL": "cannot grow: make room on the disk, then try again",
    "SQLITE_IOERR": "cannot be read or written: look at the disk, which must be no network share",
    "SQLITE_PROTOCOL": "cannot be locked there, as on network shares: choose a local disk with --data, or PostgreSQL",
    "SQLITE_READONLY": "cannot be written: give this user the right to, or choose another directory with --data",
    "SQLITE_CANTOPEN": "cannot be opened: give this user the right to, or choose another directory with --data",
    "SQLITE_PERM": "cannot be opened: give this user the right to, or choose another directory with --data",
}
"""By SQLite's name of the primary code; an extended one begins with it (https://www.sqlite.org/rescode.html)."""


_SQLITE_FILE = "rolecall.sqlite3 in the data directory (setting data)"
_NEWER = "the schema is none of this release's, perhaps a newer one's: install that release, or restore a backup"


@dataclass(frozen=True, slots=True)
class Failure:
    """How a command ends: the message to print, if any, and the exit code."""

    message: str
    code: int


def failure(error: BaseException) -> Failure:
    """Return how the command ends. An unexpected error leaves its traceback in a file."""
    if isinstance(error, RolecallError):
        return Failure(str(error), FIXABLE)  # at once: what the others need takes a moment to import
    from asyncio import CancelledError

    from alembic.util import CommandError
    from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

    from connectors.errors import ConnectorError

    match error:
        case KeyboardInterrupt():
            return Failure("", INTERRUPTED)
        case CancelledError():
            return Failure("", TERMINATED)
        case BrokenPipeError():
            return Failure("", NO_READER)
        case ConnectorError():
            return Failure(str(error), FIXABLE)
        case CommandError():
            return Failure(f"{_SQLITE_FILE} or setting database_url: {_NEWER}", FIXABLE)
        case IntegrityError() | DataError():
            return Failure(_ours(error), OUR_FAULT)
        case DBAPIError():
            return Failure(_of_database(error.orig), _code(error.orig))
        case sqlite3.Error():
            return Failure(_of_database(error), _code(error))
        case OSError() if error.strerror:
            return Failure(_of_system(error), FIXABLE)
    return Failure(_ours(error), OUR_FAULT)


def _code(error: BaseException | None) -> int:
    """Return the exit code for what a database raised: damage calls for another hand than a lock does."""
    return (
        DAMAGED if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) else FIXABLE
    )


def _of_database(error: BaseException | None) -> str:
    """Return what to do, without statements and values, because they may hold ticket texts."""
    if not isinstance(error, sqlite3.Error):
        first = str(error).partition("\n")[0]
        return f"the database that setting database_url names cannot be used: {first}; see `rolecall db check`"
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    known = (words for primary, words in SQLITE.items() if name.startswith(primary))
    return f"{_SQLITE_FILE} {next(known, 'does not have the tables that it should: see `rolecall db check`')} ({name})"


def _of_system(error: OSError) -> str:
    names = " → ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    return f"{names}: {error.strerror}" if names else f"the operating system refuses: {error.strerror}"


def _ours(error: BaseException) -> str:
    """Save the traceback and return its file. The error's own text is left out: it may hold words of a ticket."""
    kind = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    try:
        descriptor, name = tempfile.mkstemp(prefix="rolecall-fault-", suffix=".txt")  # for its owner's eyes only
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            traceback.print_exception(error, file=file)
    except OSError as full:
        kept = f"the trace could not be kept ({full.strerror})"
    else:
        kept = f"the trace is in {name}; it may hold words of tickets, so look before you send it on"
    return (
        f"this is a fault of Rolecall's own, {kind}{place}: please report it. There is nothing for you to fix; {kept}"
    )
