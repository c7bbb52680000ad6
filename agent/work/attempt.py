"""One attempt at one event: what the handler says becomes done, again later, or a dead letter. Every engine's core."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from random import Random
from time import perf_counter

import structlog

from agent.config.settings import RETRY_SECONDS
from agent.metrics import Metrics
from agent.notes.speak import Unsettled
from agent.store import inbox
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import utcnow
from agent.work.breaker import Breakers
from agent.work.retry import pause
from connectors.errors import ConnectorError, Transient

Handler = Callable[[Job], Awaitable[None]]

log = structlog.get_logger()


class Attempts:
    """Makes attempts with one handler and writes down what came of them.

    A handler says what became of the event by returning (done), raising Transient (again later), Unsettled (later, and
    this was no attempt) or any other ConnectorError (dead letter). Any other exception is a fault of ours: it is tried
    again like a transient one, with its trace in the log.
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
        """Work on a claimed event once, or put it off while its system is left alone."""
        with (
            structlog.contextvars.bound_contextvars(seq=job.seq, ticket=job.ticket_key, kind=job.event.kind.value),
            self.breakers[job.source].passage() as closed_for,
        ):
            began = perf_counter()
            try:
                if closed_for is None:
                    await self._make(job, began)
                else:
                    await self._put_off(job, closed_for)
            except inbox.Superseded:
                self._sum_up(job, began, "superseded")

    async def _make(self, job: Job, began: float) -> None:
        try:
            await self._handler(job)
        except Unsettled as error:
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
        self._sum_up(job, began, "dead", error=error)

    def _sum_up(self, job: Job, began: float, outcome: str, **more: object) -> None:
        """Count the attempt and write its line, once what came of it is kept."""
        level = {"dead": logging.ERROR, "superseded": logging.WARNING}.get(outcome, logging.INFO)
        log.log(level, "attempt", outcome=outcome, number=job.attempt, seconds=round(perf_counter() - began, 3), **more)
        self._metrics.events.labels(job.source, job.event.kind.value, outcome).inc()
