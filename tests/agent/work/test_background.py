"""What works beside the engine goes on while the database fails: ended, it would stop the server."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import NoReturn

import pytest
from sqlalchemy.exc import OperationalError

from agent.app import Server
from agent.core import Parts
from agent.door import Door
from agent.store.database import Database
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

LOOKS = 3


def fail(*_: object, **__: object) -> NoReturn:
    raise OperationalError("SELECT 1", {}, Exception("the server closed the connection"))


async def test_no_background_work_ends_while_the_database_fails(
    parts: Parts, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door(parts.settings, parts.directory, parts.database, {desk.source: desk}, lambda: parts.settings)
    works = await Server(door, parts, ("false",))._tasks()
    slept, sleep = Counter[object](), asyncio.sleep

    async def at_once(_: float) -> None:
        slept[asyncio.current_task()] += 1
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", at_once)
    monkeypatch.setattr(Database, "_transact", fail)
    assert len(works) >= 6
    tasks = [asyncio.create_task(work, name=work.__qualname__) for work in works]
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while min(slept[task] for task in tasks) < LOOKS:
                await sleep(0)
                ended = [(task.get_name(), task.exception()) for task in tasks if task.done()]
                assert not ended
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
