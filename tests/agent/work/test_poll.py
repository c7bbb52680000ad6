"""A look at a system takes in what it finds and remembers how far it came, on both databases and side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from agent.store.database import Database
from agent.work.poll import poll_once
from connectors.base import Poll
from connectors.events import Event, Kind
from tests.desk import Desk

pytestmark = pytest.mark.anyio
MANY = 1_500
"""More events than one statement takes."""


class PolledDesk(Desk):
    """Has `found` to tell, whatever the watermark."""

    found = 0

    async def poll(self, watermark: str | None, *_: object) -> Poll:
        events = [Event(Kind.CREATED, str(n), f"d{n}") for n in range(self.found)]
        return Poll(events, str(int(watermark or "0") + 1))


@pytest.fixture
def databases(database_url: str) -> Iterator[list[Database]]:
    opened = [Database.open(database_url) for _ in range(3)]
    yield opened
    for database in opened:
        database.close()


@pytest.mark.parametrize("found", [0, 3, MANY])
async def test_what_a_look_finds_is_taken_in_once(databases: list[Database], found: int) -> None:
    desk = PolledDesk()
    desk.found = found
    assert [await poll_once(desk, databases[0], asyncio.Event()) for _ in range(2)] == [found, 0]


async def test_servers_that_look_at_the_same_moment_do_not_disturb_each_other(databases: list[Database]) -> None:
    desk = PolledDesk()
    for _ in range(20):
        assert await asyncio.gather(*(poll_once(desk, database, asyncio.Event()) for database in databases)) == [
            0,
            0,
            0,
        ]
        with databases[0].engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM watermark")
