"""Give the room of deleted rows back to the disk, a little at a time; or rewrite an SQLite file as a whole.

A file that an older release made gives nothing back by itself until it was rewritten once (`rolecall db compact`).
"""

from __future__ import annotations

import time

from sqlmodel import Session

from agent.errors import NotPossibleYet
from agent.store import search
from agent.store.database import Database

CHECKPOINTS = 100
WAIT_SECONDS = 0.1

SPARE_PAGES = 1_024
"""Free pages that are left for the next rows: 4 MB."""

PAGES_AT_ONCE = 256
"""Pages moved in one transaction, between which webhooks are stored."""


async def give_back(database: Database) -> None:
    """Give free pages of an SQLite file back; PostgreSQL does the like by itself, in time (autovacuum)."""
    if not database.clustered:
        while await database.write(_shorten):
            continue


def _shorten(session: Session) -> bool:
    """Give some pages back, and return whether there are more."""
    connection = session.connection()
    free: int = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
    if free <= SPARE_PAGES:
        return False
    cursor = connection.connection.cursor()  # a result without columns, of which every row is a page
    cursor.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")
    cursor.fetchall()
    cursor.close()
    left: int = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
    return SPARE_PAGES < left < free


def compact(database: Database) -> None:
    """Rewrite the file and empty its log; PostgreSQL does the like by itself, in time (autovacuum).

    A server may run meanwhile: its writes wait. Raises NotPossibleYet while somebody reads for long.
    """
    if database.clustered:
        return
    with database.engine.execution_options(begin=None).connect() as connection:
        connection.exec_driver_sql(search.TIDY)
        connection.exec_driver_sql("PRAGMA auto_vacuum = INCREMENTAL")  # for a file of an older release
        connection.exec_driver_sql("VACUUM")
        for _ in range(CHECKPOINTS):
            busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            if not busy:
                return
            time.sleep(WAIT_SECONDS)
    raise NotPossibleYet("somebody reads the database all the time, so that its log keeps old text: try again")
