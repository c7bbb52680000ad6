"""Check whether events can be stored: is there space on the disk, and does the database accept writes.

The check runs every few seconds, never for a request. Refusing before the disk is full leaves space for working off
what was accepted. A backlog is no reason to refuse: an event takes 2 kB.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from agent.config.settings import IntakeSettings
from agent.store import coordination
from agent.store.database import Database, why
from agent.store.tables import utcnow

CHECK_SECONDS = 3.0
MEGABYTE = 1_048_576

log = structlog.get_logger()


def shortage(folder: Path | None, least: int) -> str | None:
    """Return why the database's folder lacks space, None where at least `least` bytes are free."""
    try:
        if folder is None or least <= shutil.disk_usage(folder).free:
            return None
    except OSError as error:
        return f"the disk of the database cannot be looked at: {error.strerror}"
    return f"less than {least / MEGABYTE:.0f} MB free on the disk of the database ([intake] min_free_bytes)"


class Storage:
    """The result of the last check."""

    def __init__(self, database: Database, limits: IntakeSettings) -> None:
        self._database = database
        self._limits = limits
        self.shortage: str | None = None
        self.low = False
        """Whether less than twice the least room is left."""
        self._failure: str | None = None

    def trouble(self) -> str | None:
        """Return why nothing can be stored now, None where it can."""
        return self.shortage or self._failure

    async def run(self) -> None:
        """Check every CHECK_SECONDS until cancelled."""
        while True:
            await self.check()
            await asyncio.sleep(CHECK_SECONDS)

    async def check(self) -> None:
        """Check the disk and write one row; log each change once."""
        before = self.trouble()
        least = self._limits.min_free_bytes
        self.shortage = await asyncio.to_thread(shortage, self._database.folder, least)
        self.low = await asyncio.to_thread(shortage, self._database.folder, 2 * least) is not None
        patience = self._limits.max_waiting_seconds
        probe = asyncio.ensure_future(self._write())
        try:
            done, _ = await asyncio.wait({probe}, timeout=patience)
            if not done:
                self._failure = f"the database has taken longer than {patience:g} s for a write"
                before = self._log_change(before)
            self._failure = await probe
        finally:
            probe.cancel()
        self._log_change(before)

    async def _write(self) -> str | None:
        try:
            await self._database.write(coordination.touch, "written", utcnow())
        except DBAPIError as error:
            return f"the database cannot be written: {why(error)}"
        except SQLAlchemyError as error:
            return f"the database cannot be written: {type(error).__name__}"
        return None

    def _log_change(self, before: str | None) -> str | None:
        now = self.trouble()
        if now and now != before:
            log.error("storage_trouble", reason=now)
        elif before and not now:
            log.warning("storage_recovered")
        return now
