"""The embedded engine: claims due events from the inbox and works on them, many tickets at a time, each in order."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import structlog
from sqlalchemy.exc import OperationalError

from agent.store import clock_step, inbox
from agent.store.database import UNAVAILABLE_SECONDS, Database, why
from agent.store.inbox import Job
from agent.store.tables import utcnow
from agent.work.attempt import FINISH_SECONDS, Attempts
from agent.work.wall_clock import WallClock

IDLE_SECONDS = 5.0
"""How long the engine sleeps at most: another process may have requeued an event, or the clock may have been set."""

log = structlog.get_logger()


class Engine:
    """Works off the inbox of one database until `stop`. `wake` is set by the intake after every commit."""

    def __init__(self, database: Database, attempts: Attempts, wake: asyncio.Event, concurrency: int) -> None:
        self._database = database
        self._attempts = attempts
        self._wake = wake
        self._concurrency = concurrency
        self._working: set[asyncio.Task[None]] = set()
        self._clock = WallClock()
        self._behind = timedelta(0)
        self._stopping = False

    async def run(self) -> None:
        """Take back what a dead process left behind, then work until `stop`."""
        recovered = False
        while not self._stopping:
            self._wake.clear()
            try:
                if not recovered:
                    recovered = await self._recover()
                jobs = await self._claim()
            except OperationalError as error:
                log.warning("database_unavailable", error=why(error))
                await asyncio.sleep(UNAVAILABLE_SECONDS)
                continue
            for job in jobs:
                task = asyncio.create_task(self._work(job))
                self._working.add(task)
                task.add_done_callback(self._finished)
            if not jobs or len(self._working) >= self._concurrency:
                await self._sleep()
        await self._finish()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when the work in hand is done, or put back after FINISH_SECONDS."""
        self._stopping = True
        self._wake.set()

    async def _finish(self) -> None:
        if self._working:
            _, unfinished = await asyncio.wait(self._working, timeout=FINISH_SECONDS)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _recover(self) -> bool:
        if stranded := await self._database.write(inbox.recover, utcnow()):
            log.warning("events_taken_back", events=stranded)
        latest = await self._database.read(clock_step.latest)
        if latest is not None:
            self._behind = max(latest - utcnow(), timedelta(0))  # set back while no server was running
        return True

    async def _claim(self) -> list[Job]:
        self._behind += self._clock.stepped_back()
        if self._behind:
            await self._database.write(clock_step.bring_forward, self._behind)
            log.warning("clock_stepped_back", seconds=round(self._behind.total_seconds(), 1))
            self._behind = timedelta(0)
        now, free = utcnow(), self._concurrency - len(self._working)
        waits = self._attempts.breakers.waits()
        open_until = {source: now + timedelta(seconds=wait) for source, wait in waits.items()}
        return await self._database.write(inbox.claim, free, now, open_until) if free else []

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._wake.set()

    async def _sleep(self) -> None:
        try:
            due = await self._database.read(inbox.next_due)
        except OperationalError:
            due = utcnow() + timedelta(seconds=UNAVAILABLE_SECONDS)
        seconds = IDLE_SECONDS
        if due is not None and len(self._working) < self._concurrency:
            seconds = min(max((due - utcnow()).total_seconds(), 0.05), IDLE_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _work(self, job: Job) -> None:
        try:
            await self._attempts.make(job)
        except OperationalError as error:
            log.warning("outcome_not_kept", seq=job.seq, error=why(error))
            await self._put_back(job)

    async def _put_back(self, job: Job) -> None:
        """Requeue the event as soon as the database can be written; a restart would do the same."""
        while not self._stopping:
            await asyncio.sleep(UNAVAILABLE_SECONDS)
            with contextlib.suppress(OperationalError):
                with contextlib.suppress(inbox.Superseded):  # the outcome was stored after all
                    await self._database.write(inbox.retry, job, utcnow(), "the database could not be written")
                return
