"""The cluster engine: any number of servers work off one PostgreSQL with Procrastinate, each ticket in order.

The inbox row is the truth about an event, the job is its place in the queue. A server that dies leaves its jobs behind;
the others take them back when its heartbeat has stopped.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import procrastinate
import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as Queued
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from sqlalchemy.exc import OperationalError

from agent.store import inbox
from agent.store.database import Database
from agent.store.deferred import QUEUE, TASK
from agent.store.tables import utcnow
from agent.work.attempt import Attempts

HEARTBEAT_SECONDS = 2.0
STALLED_SECONDS = 10.0
"""A server without a heartbeat for so long is taken for dead."""

TAKE_BACK_SECONDS = 2.0
RECONNECT_SECONDS = 1.0

log = structlog.get_logger()


class _Again(Exception):
    """An attempt failed; `wait` says how long to wait for the next one."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"again in {wait}")
        self.wait = wait


class _AsWeSay(BaseRetryStrategy):
    """Waits as long as the attempt itself said; the job keeps its ticket's lock meanwhile."""

    def get_retry_decision(self, *, exception: BaseException, job: Queued) -> RetryDecision | None:
        if isinstance(exception, _Again):
            return RetryDecision(retry_in={"milliseconds": exception.wait // timedelta(milliseconds=1)})
        return None


class ClusterEngine:
    """Works off the inbox of a shared database until it is told to stop."""

    def __init__(self, database: Database, attempts: Attempts, concurrency: int) -> None:
        self._database = database
        self._attempts = attempts
        self._concurrency = concurrency
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`; a database that is away is tried again and again."""
        while not self._stopping.is_set():
            try:
                await self._run()
            except (ConnectorException, OperationalError, OSError) as error:
                log.warning("queue_unreachable", error=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    def stop(self) -> None:
        """Fetch nothing more; `run` returns when the work in hand is done."""
        self._stopping.set()

    async def _run(self) -> None:
        url = self._database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=4))
        app.task(name=TASK, queue=QUEUE, retry=_AsWeSay())(self._work)
        async with app.open_async():
            working = asyncio.create_task(
                app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=self._concurrency,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    fetch_job_polling_interval=1.0,
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    stalled_worker_timeout=STALLED_SECONDS,
                )
            )
            taking_back = asyncio.create_task(self._take_back_forever(app))
            stopping = asyncio.create_task(self._stopping.wait())
            try:
                await asyncio.wait([working, taking_back, stopping], return_when=asyncio.FIRST_COMPLETED)
                for task in (working, taking_back):
                    if task.done():
                        task.result()
            finally:
                taking_back.cancel()
                stopping.cancel()
                working.cancel()  # a worker that is cancelled finishes the work in hand
                await asyncio.gather(taking_back, stopping, working, return_exceptions=True)

    async def _take_back_forever(self, app: procrastinate.App) -> None:
        while True:
            stalled = await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=STALLED_SECONDS)
            for job in stalled:
                seq = int(str(job.task_kwargs["seq"]))
                poison = await self._database.write(inbox.crashed, seq, utcnow())
                log.warning("event_taken_back", seq=seq, poison=poison)
                await app.job_manager.retry_job(job)
            await asyncio.sleep(TAKE_BACK_SECONDS)

    async def _work(self, seq: int) -> None:
        job = await self._database.write(inbox.take, seq)
        if job is None:
            return  # done, dead or dropped meanwhile
        wait = await self._attempts.make(job)
        if wait is not None:
            raise _Again(wait)
