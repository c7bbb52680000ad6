"""Attempt one event: what the handler returns or raises makes it done, retried or a dead letter. Every engine's core.

Each system has a circuit breaker; while it is open, that system's events wait without being tried. closed → (failures
in a row, or a Retry-After) → open → (the pause is over) → one event as a probe → closed, or open for longer.
Source: M. Nygard, Release It!, "Circuit Breaker". Failures are counted per call to the system, not per event, since
most events need no call; so polling counts, too. One ticket whose calls fail between others that succeed opens nothing.
Every server has its own breakers, in memory, on a monotonic clock.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from time import perf_counter

import structlog

from agent.config.settings import BREAKER_FAILURES, BREAKER_SECONDS, RETRY_SECONDS
from agent.metrics import Metrics
from agent.notes.speak import TooEarly
from agent.store import inbox
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import utcnow
from agent.work.retry import pause
from connectors.errors import ConnectorError, TicketNotFound, Transient

Handler = Callable[[Job], Awaitable[None]]

FINISH_SECONDS = 5.0
"""How long the attempts in hand may go on when the server stops; then each is cancelled, and its event put back."""

log = structlog.get_logger()


class Attempts:
    """Makes attempts with one handler and records their outcomes.

    A handler returns (done) or raises: Transient (retry), TooEarly (later, without counting an attempt) or any other
    ConnectorError (dead letter). Any other exception is a defect of ours: the event is retried as after Transient, and
    the trace is logged.
    """

    def __init__(
        self,
        database: Database,
        handler: Handler,
        metrics: Metrics,
        breakers: Breakers,
        pauses: Sequence[float] = RETRY_SECONDS,
        random: Random | None = None,
    ) -> None:
        self._database = database
        self._handler = handler
        self._metrics = metrics
        self.breakers = breakers
        self._pauses = pauses
        self._random = random or Random()  # noqa: S311 - jitter is no secret

    async def make(self, job: Job) -> None:
        """Attempt a claimed event once, or postpone it while its system's breaker is open."""
        with (
            structlog.contextvars.bound_contextvars(seq=job.seq, ticket=job.ticket_key, kind=job.event.kind.value),
            self.breakers[job.source].passage() as wait,
        ):
            began = perf_counter()
            try:
                if wait is None:
                    await self._make(job, began)
                else:
                    await self._put_off(job, wait)
            except inbox.Superseded:
                self._sum_up(job, began, "superseded")

    async def _make(self, job: Job, began: float) -> None:
        try:
            await self._handler(job)
        except asyncio.CancelledError:
            await self._put_off(job, 0.0)  # a request that was sent has left its attempt in the database
            raise
        except TooEarly as error:
            log.info("comment_awaited", seconds=round(error.left, 1))
            await self._put_off(job, error.left)
        except Transient as error:
            await self._again(job, began, str(error), error.retry_after)
        except ConnectorError as error:
            await self._bury(job, began, str(error))
        except Exception as error:
            log.exception("handler_failed", attempt=job.attempt)
            await self._again(job, began, f"{type(error).__name__}: {error}", None)
        else:
            await self._database.write(inbox.finish, job, utcnow())
            self._sum_up(job, began, "done")

    async def _put_off(self, job: Job, seconds: float) -> None:
        await self._database.write(inbox.put_off, job, utcnow() + timedelta(seconds=seconds))

    async def _again(self, job: Job, began: float, error: str, retry_after: float | None) -> None:
        wait = pause(job.attempt, retry_after, self._random, self._pauses)
        if wait is None:
            await self._bury(job, began, error)
            return
        await self._database.write(inbox.retry, job, utcnow() + wait, error)
        self._sum_up(job, began, "retry", error=error, again_in=round(wait / timedelta(seconds=1), 1))

    async def _bury(self, job: Job, began: float, error: str) -> None:
        await self._database.write(inbox.bury, job, error, utcnow())
        self._sum_up(job, began, "set_aside", error=error)

    def _sum_up(self, job: Job, began: float, outcome: str, **more: object) -> None:
        """Count and log the attempt, after its outcome was stored."""
        level = {"set_aside": logging.ERROR, "superseded": logging.WARNING}.get(outcome, logging.INFO)
        log.log(level, "attempt", outcome=outcome, number=job.attempt, seconds=round(perf_counter() - began, 3), **more)
        self._metrics.events.labels(job.source, job.event.kind.value, outcome).inc()


@dataclass
class Breaker:
    """The state of one system. `failures` in a row open it, 0 never; `pauses` are used one after the other."""

    source: str
    metrics: Metrics
    failures: int = BREAKER_FAILURES
    pauses: Sequence[float] = BREAKER_SECONDS
    random: Random = field(default_factory=Random)
    clock: Callable[[], float] = time.monotonic
    _failed: int = 0
    _openings: int = 0
    _until: float | None = None
    _opened: float | None = None
    _probing: bool = False

    def __post_init__(self) -> None:
        self.metrics.breaker_open.labels(self.source).set(0)

    def wait(self) -> float | None:
        """Return how many seconds an event has to wait, None where it may be tried now."""
        if self._until is None:
            return None
        left = self._until - self.clock()
        if left > 0:
            return left
        return self.random.uniform(self.pauses[0] / 2, self.pauses[0]) if self._probing else None

    def open_for(self) -> timedelta | None:
        """Return for how long the system has failed, None where it has not."""
        return None if self._opened is None else timedelta(seconds=self.clock() - self._opened)

    @contextmanager
    def passage(self) -> Iterator[float | None]:
        """Yield the seconds to wait, or None to proceed; the first caller after a pause becomes the probe."""
        wait = self.wait()
        probe = wait is None and self._until is not None
        self._probing = self._probing or probe
        try:
            yield wait
        finally:
            if probe:
                self._probing = False

    @contextmanager
    def call(self) -> Iterator[None]:
        """Record how a call ends: any answer about the ticket itself shows that the system works."""
        try:
            yield
        except ConnectorError as error:
            if isinstance(error, Transient) and not isinstance(error, TicketNotFound):
                self._note_failure(error.retry_after)
            else:
                self._note_answer()
            raise
        self._note_answer()

    def _note_answer(self) -> None:
        self._failed = 0
        if self._until is not None and self._until <= self.clock():
            self._until, self._opened, self._openings = None, None, 0
            self.metrics.breaker_open.labels(self.source).set(0)
            log.info("breaker_closed", source=self.source)

    def _note_failure(self, retry_after: float | None) -> None:
        self._failed += 1
        paused = self._until is not None and self._until > self.clock()
        if not self.failures or (paused and retry_after is None):
            return  # a call that began before the pause is no new evidence
        if retry_after is not None or self._until is not None or self._failed >= self.failures:
            self._open(retry_after)

    def _open(self, retry_after: float | None) -> None:
        self._openings = min(self._openings + 1, len(self.pauses))
        self._opened = self.clock() if self._opened is None else self._opened
        wait = pause(1 if retry_after else self._openings, retry_after, self.random, self.pauses)
        assert wait is not None  # noqa: S101 - the last pause is used again and again
        self._until = max(self._until or 0.0, self.clock() + wait.total_seconds())
        self.metrics.breaker_open.labels(self.source).set(1)
        log.warning("breaker_opened", source=self.source, failures=self._failed, seconds=round(wait.total_seconds(), 1))


class Breakers(dict[str, Breaker]):
    """The breaker of every system."""

    def __init__(
        self,
        metrics: Metrics,
        sources: Iterable[str],
        failures: int = BREAKER_FAILURES,
        pauses: Sequence[float] = BREAKER_SECONDS,
    ) -> None:
        super().__init__()
        self._make = partial(Breaker, metrics=metrics, failures=failures, pauses=pauses)
        for source in sources:
            self[source] = self._make(source)

    def __missing__(self, source: str) -> Breaker:
        """Make one for a system that is not configured any more, but has events left."""
        self[source] = self._make(source)
        return self[source]

    def waits(self) -> dict[str, float]:
        """Return for how many more seconds each system whose breaker is open is not asked."""
        return {source: left for source, breaker in self.items() if (left := breaker.wait()) is not None}

    def watch(self, source: str, _call: str) -> AbstractContextManager[None]:
        """Return the context manager for a call to a system: a `Watch` of `agent.work.call_metrics`."""
        return self[source].call()
