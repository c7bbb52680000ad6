"""Run the daily jobs, on one server only where several share a database: train, and forget old texts; show due drafts.

Training runs `rolecall train` in a process of its own. A server without the packages that it needs leaves it to the
others; each server that can train announces itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from socket import gethostname

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from agent.config.settings import Settings
from agent.domain import RoleCatalogue
from agent.ladder import moving
from agent.ladder.moving import Ladder
from agent.packages import TRAINING, missing
from agent.store import coordination, retention, verdicts
from agent.store.compaction import give_back
from agent.store.database import Database
from agent.store.tables import utcnow

BATCH = 500
"""Events forgotten in one transaction, so that other writes do not wait for long."""

ANNOUNCED = timedelta(hours=1)
"""How often a server that can train announces itself."""

JOB_DEFAULTS = {"coalesce": True, "max_instances": 1, "misfire_grace_time": 3_600}
"""Once where several times were missed, and an hour late at most: a changed clock must not cost a night's training."""

_TRAINER = "trainer:"

log = structlog.get_logger()


def schedule(
    settings: Settings, database: Database, train_command: Sequence[str], catalogue: RoleCatalogue | None = None
) -> AsyncIOScheduler:
    """Start the schedule. `train_command` is run at night, in a process of its own."""
    scheduler = AsyncIOScheduler(timezone=LocalTime())
    at = settings.learning.nightly_at

    async def retrain_once() -> None:
        assert at is not None  # noqa: S101 - else nothing is scheduled
        since_midnight = timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
        night = datetime.now() - since_midnight  # the same however late it begins
        if await _mine(database, "train", f"{night:%Y-%m-%d} {in_words(at)}"):
            log.info("nightly_training_began", at=in_words(at))
            await retrain(train_command)

    async def learn_from_notes() -> None:
        from agent.writing import learnt  # and with it scipy, which only servers that train have

        if await _mine(database, "notes", f"{utcnow():%Y-%m-%d}"):
            await asyncio.to_thread(learnt.learn, database)

    async def forget_once() -> None:
        if await _mine(database, "forget", f"{utcnow():%Y-%m-%d}"):
            keep = timedelta(days=settings.work.keep_days)
            await forget_finished(database, keep)
            await database.write(retention.delete_expired, utcnow(), keep)
            await give_back(database)

    async def show_due() -> None:
        await database.write_with_retry(verdicts.show_due, list(settings.connectors), utcnow())

    async def settle() -> None:
        assert catalogue is not None  # noqa: S101 - else nothing is scheduled
        await settle_ladder(database, Ladder(catalogue, settings.ladder, shadow=settings.triage.shadow is True))

    async def announce() -> None:
        await database.write_with_retry(coordination.touch, f"{_TRAINER}{gethostname()}", utcnow())

    if at is not None and (reason := missing(*TRAINING)):
        log.info("nightly_training_left_to_others", reason=reason)
    elif at is not None:
        scheduler.add_job(retrain_once, "cron", hour=at.hour, minute=at.minute, second=at.second, **JOB_DEFAULTS)
        if settings.writing.closure != "off":
            scheduler.add_job(
                learn_from_notes, "cron", hour=at.hour, minute=at.minute, second=at.second, **JOB_DEFAULTS
            )
        if database.clustered:
            seconds, now = ANNOUNCED.total_seconds(), datetime.now()
            scheduler.add_job(announce, "interval", seconds=seconds, next_run_time=now, **JOB_DEFAULTS)
    scheduler.add_job(forget_once, "interval", hours=1, **JOB_DEFAULTS)
    if catalogue is not None:
        scheduler.add_job(settle, "interval", minutes=1, **JOB_DEFAULTS)
    if settings.writing.closure == "after 8h":
        scheduler.add_job(show_due, "interval", minutes=1, **JOB_DEFAULTS)
    scheduler.start()
    return scheduler


def who_trains(settings: Settings, database: Database | None) -> tuple[bool, str]:
    """Return whether nightly training works as configured, and which servers train, in words.

    Without a database no other server can have announced itself.
    """
    at, reason = settings.learning.nightly_at, missing(*TRAINING)
    if at is None:
        return True, "at night nobody ([learning] nightly_at is off)"
    if reason is None:
        return True, f"this server, every night at {in_words(at)}"
    others = database.call(coordination.touched, _TRAINER, utcnow() - 2 * ANNOUNCED) if database is not None else []
    return bool(others), f"{', '.join(others)}; this server only serves" if others else f"nobody: {reason}"


def in_words(at: time) -> str:
    """Return a time of day, with its seconds where there are any."""
    return f"{at:%H:%M:%S}".removesuffix(":00")


async def settle_ladder(database: Database, ladder: Ladder) -> None:
    """Lower the roles whose live evidence has turned, and take what the policy takes. Looks first, without writing."""
    if await database.read(moving.turned, ladder, utcnow()):
        for move in await database.write(moving.settle, ladder, utcnow()):
            moving.tell(move)


async def forget_finished(database: Database, keep: timedelta) -> int:
    """Delete the text of events that were finished longer ago than `keep`, and return of how many."""
    moment, last, forgotten = utcnow() - keep, 0, 0
    while numbers := await database.read(retention.finished_before, moment, last, BATCH):
        await database.write(retention.forget, numbers)
        last, forgotten = numbers[-1], forgotten + len(numbers)
    if forgotten:
        log.info("events_forgotten", events=forgotten)
    return forgotten


async def _mine(database: Database, job: str, slot: str) -> bool:
    """Return whether this server is the one that runs the job this time."""
    return await database.write_with_retry(coordination.take_tick, job, slot, utcnow())


async def retrain(command: Sequence[str]) -> int:
    """Run the training command to its end and return its exit code; it is terminated when this is cancelled.

    The command itself records its outcome in the ledger.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=None
    )
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    log.info("training_ended", exit_code=code)
    return code


class LocalTime(tzinfo):
    """The local time zone of this process, as the system's own library has it, whatever TZ says.

    The schedule's library reads only names of zones (Europe/Berlin), while POSIX also allows rules, such as CET-1CEST
    or UTC-3. Source: POSIX.1-2017, 8.3 "Other Environment Variables", TZ.
    """

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """Return the difference to UTC at a local time."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, _moment: datetime | None) -> timedelta | None:
        """Return None: only the whole difference to UTC is known."""
        return None

    def tzname(self, _moment: datetime | None) -> str:
        """Return a name; the system may have none."""
        return "local time"

    def fromutc(self, moment: datetime) -> datetime:
        """Return the local time of a time in UTC; the second one of an hour that comes twice is marked by `fold`."""
        there = moment.replace(tzinfo=UTC).astimezone()
        local = there.replace(tzinfo=None)
        return local.replace(tzinfo=self, fold=int(local.astimezone().utcoffset() != there.utcoffset()))
