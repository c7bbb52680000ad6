"""What happens once a day, on one server only where several share a database: training, and forgetting old texts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from agent.config.settings import Settings
from agent.learning.nightly import retrain
from agent.store import coordination, retention
from agent.store.database import Database
from agent.store.tables import utcnow

BATCH = 500
"""Events forgotten in one transaction, so that other writes can pass."""

GENTLY = {"coalesce": True, "max_instances": 1, "misfire_grace_time": 3_600}
"""Once where several times were missed, and an hour late at most: a changed clock must not cost a night's training."""

log = structlog.get_logger()


def schedule(settings: Settings, database: Database, train_command: Sequence[str]) -> AsyncIOScheduler:
    """Start the schedule. `train_command` is run at night, in a process of its own."""
    scheduler = AsyncIOScheduler()
    at = settings.learning.nightly_at

    async def retrain_once() -> None:
        assert at is not None  # noqa: S101 - else nothing is scheduled
        night = datetime.now() - timedelta(hours=at.hour, minutes=at.minute)  # the same however late it begins
        if await _mine(database, "train", f"{night:%Y-%m-%d} {at:%H:%M}"):
            await retrain(train_command)

    async def forget_once() -> None:
        if await _mine(database, "forget", f"{utcnow():%Y-%m-%d}"):
            await forget_settled(database, timedelta(days=settings.work.keep_days))

    if at is not None:
        scheduler.add_job(retrain_once, "cron", hour=at.hour, minute=at.minute, **GENTLY)
    scheduler.add_job(forget_once, "interval", hours=1, **GENTLY)
    scheduler.start()
    return scheduler


async def forget_settled(database: Database, keep: timedelta) -> int:
    """Forget the text of events that were settled longer ago than `keep`, and return of how many."""
    moment, last, forgotten = utcnow() - keep, 0, 0
    while numbers := await database.read(retention.settled_before, moment, last, BATCH):
        await database.write(retention.forget, numbers)
        last, forgotten = numbers[-1], forgotten + len(numbers)
    if forgotten:
        log.info("events_forgotten", events=forgotten)
    return forgotten


async def _mine(database: Database, job: str, slot: str) -> bool:
    """Tell whether this server is the one that runs the job this time."""
    return await database.insist(coordination.take_tick, job, slot, utcnow())
