"""Secret rotation: reload the settings of a running server and reconnect connectors whose settings changed."""

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
    """Reloads the settings periodically and replaces connectors whose settings have changed.

    `connectors` is consulted for every delivery and every call, so a replacement takes effect with the next one. If the
    settings cannot be read or are invalid, nothing changes. `current` holds the settings as last read; all but those of
    connectors take effect at the next start.
    """

    def __init__(
        self, settings: Settings, connectors: MutableMapping[str, Connector], reload: Callable[[], Settings]
    ) -> None:
        self.current = settings
        self._connectors = connectors
        self._reload = reload
        self._retired: list[tuple[float, Connector]] = []

    async def run(self) -> None:
        """Refresh every `[secrets] refresh_seconds` until cancelled."""
        while True:
            await asyncio.sleep(self.current.secrets.refresh_seconds)
            await self.refresh()

    async def refresh(self) -> None:
        """Reload the settings, reconnect connectors whose settings changed, and close those replaced long ago."""
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
                connector.tokens = self._connectors[source].tokens
                self._retired.append((now, self._connectors[source]))
                self._connectors[source] = connector
                log.info("connector_rotated", source=source)
        self.current = fresh.model_copy(update={"connectors": taken_up})

    async def _close_retired(self, before: float) -> None:
        due = [connector for since, connector in self._retired if since <= before]
        self._retired = [(since, connector) for since, connector in self._retired if since > before]
        for connector in due:
            await connector.aclose()
