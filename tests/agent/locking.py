"""A database that cannot be written for a while."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import event

from agent.parts import Parts


@contextmanager
def locked(parts: Parts) -> Iterator[None]:
    """Hold the lock of the database, in which nobody waits for long, for the length of a block."""
    engine = parts.database.engine
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 50"))
    engine.dispose()
    with closing(sqlite3.connect(parts.directory.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
