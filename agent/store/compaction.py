"""Rewrite an SQLite file, so that no deleted row is left in free pages or in the write-ahead log."""

from __future__ import annotations

import time

from agent.errors import NotPossibleYet
from agent.store.database import Database

CHECKPOINTS = 100
WAIT_SECONDS = 0.1


def compact(database: Database) -> None:
    """Rewrite the file and empty its log; PostgreSQL does the like by itself, in time (autovacuum).

    A server may run meanwhile: its writes wait. Raises NotPossibleYet while somebody reads for long.
    """
    if database.clustered:
        return
    with database.engine.execution_options(begin=None).connect() as connection:
        connection.exec_driver_sql("VACUUM")
        for _ in range(CHECKPOINTS):
            busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            if not busy:
                return
            time.sleep(WAIT_SECONDS)
    raise NotPossibleYet("somebody reads the database all the time, so that its log keeps old text: try again")
