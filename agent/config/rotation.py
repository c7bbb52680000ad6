"""Rotation: a running server takes up new secrets, by connecting anew with the settings as they are now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping

import structlog

from agent.config.settings import Settings
from agent.errors import RolecallError
from connectors.base import Connector

RETIREMENT_SECONDS = 900.0
"""How long a replaced connector stays open for work in hand: a call lasts three times the largest time-out at most."""

log = structlog.get_logger()


class Rotation:
    """Reads the settings again from time to time and swaps connectors whose settings have changed.

    `connectors` is looked into for every delivery and every call, so a swap takes effect with the next one. What cannot
    be read or is faulty changes nothing: a server at work goes on with what it has. `current` holds the settings as
    last read; all but those of connectors take effect at the next start.
    """

    def __init__(
        self, settings: Settings, connectors: MutableMapping[str, Connector], reload: Callable[[], Settings]
    ) -> None:
        self.current = settings
        self._connectors = connectors
        self._reload = reload
        self._retired: list[tuple[float, Connector]] = []

    async def run(self) -> None:
        """Take a turn every `[secrets] refresh_seconds` until cancelled."""
        while True:
            await asyncio.sleep(self.current.secrets.refresh_seconds)
            await self.turn()

    async def turn(self) -> None:
        """Read the settings once, swap what has changed, and close what was swapped long ago."""
        try:
            fresh = await asyncio.to_thread(self._reload)
        except RolecallError as error:
            log.warning("settings_kept", reason=str(error))
        else:
            self._swap(fresh)
        await self._close_retired(before=asyncio.get_running_loop().time() - RETIREMENT_SECONDS)

    async def aclose(self) -> None:
        """Close every replaced connector that is still open."""
        await self._close_retired(before=float("inf"))

    def _swap(self, fresh: Settings) -> None:
        now = asyncio.get_running_loop().time()
        taken_up = dict(fresh.connectors)
        for source in self._connectors.keys() & fresh.connectors.keys() & self.current.connectors.keys():
            before, chosen = self.current.connectors[source], fresh.connectors[source]
            if chosen == before:
                continue
            try:
                connector = chosen.connect(source)
            except OSError as error:  # a certificate file that cannot be used
                log.warning("connector_kept", source=source, reason=type(error).__name__)
                taken_up[source] = before
            else:
                self._retired.append((now, self._connectors[source]))
                self._connectors[source] = connector
                log.info("connector_rotated", source=source)
        self.current = fresh.model_copy(update={"connectors": taken_up})

    async def _close_retired(self, before: float) -> None:
        due = [connector for since, connector in self._retired if since <= before]
        self._retired = [(since, connector) for since, connector in self._retired if since > before]
        for connector in due:
            await connector.aclose()
