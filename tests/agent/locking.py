"""A database that cannot be written for a while."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import event

from agent.core import Parts


def impatient(parts: Parts) -> Parts:
    """Let nobody wait long for the lock of the database. Call it before a server runs on it."""
    engine = parts.database.engine
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 50"))
    engine.dispose()
    return parts


@contextmanager
def locked(parts: Parts) -> Iterator[None]:
    """Hold the lock of the database for the length of a block."""
    with closing(sqlite3.connect(parts.directory.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
