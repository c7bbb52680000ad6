"""Look for damage in an SQLite file: a disk may return what was never written, and most pages are seldom read.

https://www.sqlite.org/pragma.html#pragma_quick_check
"""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy.exc import DBAPIError

from agent.store.database import Database, why

FIRST_SECONDS = 10.0
"""From the start to the look: what waits is acknowledged and worked off first."""

DAMAGED = "the database is damaged: stop Rolecall and restore a backup, see the runbook"

log = structlog.get_logger()


def damage(database: Database, *, thorough: bool) -> str | None:
    """Return the first fault that is found, None where there is none or the database is a server's business.

    `thorough` also compares indexes with their tables, which takes several times as long.
    """
    if database.clustered:
        return None
    check = "PRAGMA integrity_check(1)" if thorough else "PRAGMA quick_check(1)"
    try:
        with database.engine.execution_options(begin="BEGIN").connect() as connection:
            found = str(connection.exec_driver_sql(check).scalar_one())
    except DBAPIError as error:
        return why(error)
    return None if found == "ok" else found.splitlines()[0][:200]


class Soundness:
    """The result of one look at the database, a while after the start."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._damaged = False

    def trouble(self) -> str | None:
        """Return what to do about damage, None where none was found."""
        return DAMAGED if self._damaged else None

    async def run(self) -> None:
        """Look once, in the background."""
        await asyncio.sleep(FIRST_SECONDS)
        found = await asyncio.to_thread(damage, self._database, thorough=False)
        if found and not found.startswith(("SQLITE_BUSY", "SQLITE_IOERR")):  # both pass, and other checks tell of them
            self._damaged = True
            log.critical("database_damaged", found=found)
