"""The pause of all comments, switched on by the standard library alone: a kill switch must not wait for an ORM.

`agent.store.comments.pause` does the same to a database that is open already; a test compares what both leave.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

PAUSE, ANSWERING = "pause", "answering while paused"
"""Names of shared values: why all comments are paused, and whether what staff ask for is answered meanwhile."""

BUSY_SECONDS = 20
"""How long a writer waits for another one."""

_PUT = "INSERT INTO shared_value (name, value, at) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
KEEPING_TIME = _PUT + "value = excluded.value"
RENEWED = _PUT + "value = excluded.value, at = excluded.at"


def pause_file(file: Path, reason: str, *, keep_answering: bool, now: datetime | None = None) -> bool:
    """Pause all comments in an SQLite file; return False where it is not there or has no tables yet.

    Raises sqlite3.Error where the file cannot be used.
    """
    at = (now or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S.%f")
    if not file.exists():
        return False
    address = f"file:{quote(str(file.resolve()))}?mode=rw"
    with (
        closing(sqlite3.connect(address, BUSY_SECONDS, isolation_level="IMMEDIATE", uri=True)) as connection,
        connection,
    ):
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'shared_value'").fetchone():
            return False
        connection.execute(KEEPING_TIME, (PAUSE, reason, at))
        if keep_answering:
            connection.execute(RENEWED, (ANSWERING, "", at))
        else:
            connection.execute("DELETE FROM shared_value WHERE name = ?", (ANSWERING,))
    return True
