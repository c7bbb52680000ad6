"""Servers with the same schedule and one database train once a night, whichever comes first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from agent.config.settings import Settings
from agent.store import coordination
from agent.store.database import Database
from agent.work import schedule as scheduling

pytestmark = pytest.mark.anyio

NIGHTS, SERVERS = 4, 3


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[Database]]:
    opened = [Database.open_file(tmp_path / "db.sqlite3") for _ in range(SERVERS)]
    yield opened
    for database in opened:
        database.close()


async def trainings(servers: list[Database], monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Let the nights pass and return how many trainings began in each."""
    night, begun = 0, Counter[int]()

    class Turned(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime(2026, 1, 1, 2, 30, tzinfo=tz) + timedelta(days=night)

    async def retrain(_command: object) -> None:
        begun[night] += 1

    monkeypatch.setattr(scheduling, "datetime", Turned)
    monkeypatch.setattr(scheduling, "retrain", retrain)
    schedulers = [scheduling.schedule(Settings(), database, ["true"]) for database in servers]
    jobs = [job for scheduler in schedulers for job in scheduler.get_jobs() if "retrain" in job.name]
    assert len(jobs) == SERVERS
    while night < NIGHTS:
        await asyncio.gather(*(job.func() for job in jobs))
        night += 1
    for scheduler in schedulers:
        scheduler.shutdown(wait=False)
    return begun


async def test_each_night_has_one_training(servers: list[Database], monkeypatch: pytest.MonkeyPatch) -> None:
    assert await trainings(servers, monkeypatch) == dict.fromkeys(range(NIGHTS), 1)


async def test_without_the_row_of_the_night_every_server_trains(
    servers: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""
    monkeypatch.setattr(coordination, "take_tick", lambda *_: True)
    assert await trainings(servers, monkeypatch) == dict.fromkeys(range(NIGHTS), SERVERS)
