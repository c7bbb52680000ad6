"""The cluster engine: any number of servers work off one PostgreSQL with Procrastinate, each ticket in order.

The inbox row is the truth about an event; the job is its place in the queue and mirrors the row. When a server's
heartbeat stops, the others take its jobs back. A server that was only suspended finds its lease lapsed when it resumes:
its outcomes are refused, its requests are not sent, and it starts again as a new worker.
"""

from __future__ import annotations

import asyncio
from time import monotonic

import procrastinate
import psycopg
import structlog
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as Queued
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from agent.store import coordination, inbox
from agent.store.database import Database
from agent.store.deferred import MIRROR_EVENT, QUEUE, TASK
from agent.store.tables import utcnow
from agent.work.attempt import FINISH_SECONDS, Attempts
from agent.work.lease import Lease
from connectors.http import may_write

HEARTBEAT_SECONDS = 2.0
LEASE_SECONDS = 7.0
"""A server without a confirmed heartbeat for so long sends nothing more to other systems."""

STALLED_SECONDS = 10.0
"""A server without a heartbeat for so long is taken for dead; what it sent last has had time to arrive."""

FORGOTTEN_SECONDS = 86_400.0
"""A dead worker's row is removed after so long; without the row it would seem to have unregistered."""

TAKE_BACK_SECONDS = 2.0
RECONNECT_SECONDS = 1.0

UNREACHABLE = (ConnectorException, psycopg.Error, DBAPIError, OSError)

log = structlog.get_logger()


class _Jobs(JobManager):
    """Procrastinate's access to its tables, extended: heartbeats renew the lease, and a job mirrors its event.

    Procrastinate's worker offers no other hook that knows the worker's number and when a heartbeat was confirmed.

    `former` are workers of this process that could not unregister because the database was unavailable.
    """

    def __init__(self, connector: BaseConnector, lease: Lease, former: list[int]) -> None:
        super().__init__(connector)
        self._lease = lease
        self._former = former

    async def register_worker(self) -> int:
        """Register this worker, and unregister former ones."""
        while self._former:
            await super().unregister_worker(self._former[-1])
            self._former.pop()
        self._former.append(await super().register_worker())
        return self._former[-1]

    async def unregister_worker(self, worker_id: int) -> None:
        """Unregister this worker."""
        await super().unregister_worker(worker_id)
        self._former.remove(worker_id)

    async def update_heartbeat(self, worker_id: int) -> None:
        """Send a heartbeat; the lease lapses unless it is confirmed in time."""
        since = monotonic()
        await super().update_heartbeat(worker_id)
        self._lease.renew(since)

    async def finish_job(self, job: Queued, status: Status, delete_job: bool) -> None:
        """Delete the job if its event has ended, else requeue it; do nothing if another server holds it by now."""
        mine = {"job": job.id, "worker": job.worker_id, "attempts": job.attempts}
        while True:
            try:
                return await self.connector.execute_query_async(MIRROR_EVENT, **mine)
            except UNREACHABLE as error:
                if not self._lease.holds():
                    raise  # the job stays ours until another server takes it back
                log.warning("queue_unreachable", error=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)


class ClusterEngine:
    """Works off the inbox of a shared database until it is told to stop."""

    def __init__(self, database: Database, attempts: Attempts, concurrency: int) -> None:
        self._database = database
        self._attempts = attempts
        self._concurrency = concurrency
        self._stopping = asyncio.Event()
        self._workers: list[int] = []

    async def run(self) -> None:
        """Work until `stop`, reconnecting while the database is unavailable."""
        while not self._stopping.is_set():
            try:
                await self._run(Lease(LEASE_SECONDS))
            except UNREACHABLE as error:
                log.warning("queue_unreachable", error=type(error).__name__)
            if not self._stopping.is_set():
                await asyncio.sleep(RECONNECT_SECONDS)

    def stop(self) -> None:
        """Fetch nothing more; `run` returns when the work in hand is done, or put back after FINISH_SECONDS."""
        self._stopping.set()

    async def _run(self, lease: Lease) -> None:
        """Work as one worker of Procrastinate, until `stop`, an error, or the loss of the lease."""
        url = self._database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=4))
        app.job_manager = _Jobs(app.connector, lease, self._workers)

        async def work(seq: int) -> None:
            may_write.set(lease.holds)
            if lease.holds():  # else others may have the event by now
                await self._work(seq)

        app.task(name=TASK, queue=QUEUE)(work)
        async with app.open_async():
            working = asyncio.create_task(
                app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=self._concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=1.0,
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    stalled_worker_timeout=FORGOTTEN_SECONDS,
                    shutdown_graceful_timeout=FINISH_SECONDS,
                )
            )
            others = [
                asyncio.create_task(self._look_after(lease, app.job_manager)),
                asyncio.create_task(self._stopping.wait()),
            ]
            try:
                done, _ = await asyncio.wait([working, *others], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in (working, *others):
                    task.cancel()  # a worker that is cancelled finishes the work in hand
                await asyncio.gather(working, *others, return_exceptions=True)

    async def _look_after(self, lease: Lease, jobs: JobManager) -> None:
        """Take back the jobs of dead servers for as long as our own lease holds."""
        while lease.holds():
            await self._database.read(_follow_clock)
            stalled = list(await jobs.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=STALLED_SECONDS))
            if not lease.holds():  # a pause since: what looks stalled may be our own
                break
            for seq in await self._database.write(inbox.take_back, stalled, utcnow()) if stalled else ():
                log.warning("event_taken_back", seq=seq)
            await asyncio.sleep(TAKE_BACK_SECONDS)
        log.warning("lease_lapsed")

    async def _work(self, seq: int) -> None:
        job = await self._database.write(inbox.take, seq)
        if job is not None:  # else it is done, dead or dropped meanwhile
            await self._attempts.make(job)


def _follow_clock(session: Session) -> None:
    coordination.follow(session.connection())
