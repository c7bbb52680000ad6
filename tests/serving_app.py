"""Run the whole server in the test's own event loop, with requests handed to it in memory."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx

from agent.app import create_app
from agent.core import Parts
from agent.store import inbox, status
from connectors.events import Event
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS


@dataclass
class Running:
    """A server at work."""

    parts: Parts
    client: httpx.AsyncClient
    desk: Desk

    async def deliver(self, *events: Event) -> httpx.Response:
        """Post a webhook that tells of the events, and return the answer."""
        told = [(e.kind, e.delivery_id) for e in events]
        return await self.client.post(f"/hooks/{self.desk.source}/{self.desk.secret}", content=json.dumps(told))

    async def idle(self) -> None:
        """Wait until every accepted event is done or dead."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self.parts.database.read(status.counts)).keys() & set(inbox.OPEN):
                await asyncio.sleep(0.02)

    async def look(self) -> None:
        """Wait until a poll that began after this call is stored, and all that it found is done or dead."""
        begun = self.desk.polls
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.desk.polls < begun + 2:  # the one before is stored then
                await asyncio.sleep(0.02)
        await self.idle()


@contextmanager
def unharmed() -> Iterator[None]:
    """Fail where a background task ended in an error: the server would have stopped itself."""
    ends: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: ends.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not ends, "a background task ended the server"


@asynccontextmanager
async def running(parts: Parts, desk: Desk, train_command: Sequence[str] = ("false",)) -> AsyncIterator[Running]:
    """Start the server, and stop it as SIGTERM would."""
    app = create_app(parts, {desk.source: desk}, train_command)
    transport = httpx.ASGITransport(app)
    with unharmed():
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://rolecall") as client,
        ):
            yield Running(parts, client, desk)
