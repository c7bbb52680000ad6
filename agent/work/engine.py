"""The embedded engine: claims due events from the inbox and works on them, many tickets at a time, each in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from random import Random

import structlog

from agent.metrics import Metrics
from agent.settings import RETRY_SECONDS
from agent.store import inbox
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import utcnow
from agent.work.retry import pause
from connectors.errors import ConnectorError, Transient

IDLE_SECONDS = 5.0
"""How long the engine sleeps at most: another process may have put an event back."""

Handler = Callable[[Job], Awaitable[None]]

log = structlog.get_logger()


class Engine:
    """Works off the inbox of one database with one handler, until it is told to stop.

    `wake` is set by the intake after every commit. A handler says what became of the event by returning (done), raising
    Transient (again later) or any other ConnectorError (dead letter). Any other exception is a fault of ours: it is
    tried again like a transient one, with its trace in the log.
    """

    def __init__(
        self,
        database: Database,
        handler: Handler,
        wake: asyncio.Event,
        metrics: Metrics,
        concurrency: int,
        pauses: Sequence[float] = RETRY_SECONDS,
        random: Random | None = None,
    ) -> None:
        self._database = database
        self._handler = handler
        self._wake = wake
        self._metrics = metrics
        self._concurrency = concurrency
        self._pauses = pauses
        self._random = random or Random()  # noqa: S311 - jitter is no secret
        self._working: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self) -> None:
        """Take back what a dead process left behind, then work until `stop`."""
        if stranded := await self._database.write(inbox.recover, utcnow()):
            log.warning("events_taken_back", events=stranded)
        while not self._stopping:
            self._wake.clear()
            free = self._concurrency - len(self._working)
            jobs = await self._database.write(inbox.claim, free, utcnow()) if free else []
            for job in jobs:
                task = asyncio.create_task(self._work(job))
                self._working.add(task)
                task.add_done_callback(self._finished)
            if not jobs or len(self._working) >= self._concurrency:
                await self._sleep()
        if self._working:
            await asyncio.wait(self._working)

    def stop(self) -> None:
        """Claim nothing more; `run` returns when the work in hand is done."""
        self._stopping = True
        self._wake.set()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._wake.set()

    async def _sleep(self) -> None:
        due = await self._database.read(inbox.next_due)
        seconds = IDLE_SECONDS
        if due is not None and len(self._working) < self._concurrency:
            seconds = min(max((due - utcnow()).total_seconds(), 0.05), IDLE_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _work(self, job: Job) -> None:
        with structlog.contextvars.bound_contextvars(event=job.seq, ticket=job.ticket_key, kind=job.event.kind.value):
            try:
                await self._handler(job)
            except Transient as error:
                await self._again(job, str(error), error.retry_after)
            except ConnectorError as error:
                await self._bury(job, str(error))
            except Exception as error:
                log.exception("handler_failed", attempt=job.attempt)
                await self._again(job, f"{type(error).__name__}: {error}", None)
            else:
                await self._database.write(inbox.finish, job, utcnow())
                self._count(job, "done")

    async def _again(self, job: Job, error: str, retry_after: float | None) -> None:
        wait = pause(job.attempt, retry_after, self._random, self._pauses)
        if wait is None:
            await self._bury(job, error)
            return
        due_at: datetime = utcnow() + wait
        log.info("event_retry", attempt=job.attempt, seconds=round(wait / timedelta(seconds=1), 1), error=error)
        await self._database.write(inbox.retry, job, due_at, error)
        self._count(job, "retry")

    async def _bury(self, job: Job, error: str) -> None:
        log.error("event_dead", attempt=job.attempt, error=error)
        await self._database.write(inbox.bury, job, error, utcnow())
        self._count(job, "dead")

    def _count(self, job: Job, outcome: str) -> None:
        self._metrics.events.labels(job.source, job.event.kind.value, outcome).inc()
