"""Jobs on PostgreSQL: deferred in the transaction that stores the event, so that neither exists without the other.

The schema and functions are Procrastinate's; its locks keep the jobs of a ticket in order, a waiting retry included.
Two statements on its table are ours. Its `retry_job` and `finish_job` identify a job by its number alone: called by a
server that was suspended since it read the job, they would queue or delete what another server works on by now. Ours
also compare worker and attempt, and change the job in the transaction that reads the event, or takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection

if TYPE_CHECKING:
    from procrastinate.jobs import Job
    from procrastinate.manager import JobManager

QUEUE = "rolecall"
TASK = "rolecall.event"

_TAKE_BACK = """
UPDATE procrastinate_jobs AS job
SET status = 'todo', attempts = job.attempts + 1, scheduled_at = NULL, worker_id = NULL, abort_requested = false
FROM (
    SELECT job.id
    FROM procrastinate_jobs AS job JOIN unnest(%s::bigint[], %s::int[]) AS seen (id, attempts) USING (id, attempts)
    WHERE job.status = 'doing'
    FOR UPDATE OF job SKIP LOCKED) AS left_behind
WHERE job.id = left_behind.id
RETURNING job.id
"""

MIRROR_EVENT = """
WITH mine AS MATERIALIZED (
    SELECT job.id, inbox.state, inbox.due_at, coalesce(inbox.state IN ('waiting', 'working'), false) AS open
    FROM procrastinate_jobs AS job LEFT JOIN inbox ON inbox.seq = (job.args->>'seq')::bigint
    WHERE job.id = %(job)s AND job.status = 'doing' AND job.worker_id = %(worker)s AND job.attempts = %(attempts)s
    FOR UPDATE OF job),
ended AS (DELETE FROM procrastinate_jobs AS job USING mine WHERE job.id = mine.id AND NOT mine.open)
UPDATE procrastinate_jobs AS job
SET status = 'todo', attempts = job.attempts + 1, worker_id = NULL, abort_requested = false,
    scheduled_at = CASE mine.state WHEN 'waiting' THEN mine.due_at ELSE now() + interval '1 second' END
FROM mine WHERE job.id = mine.id AND mine.open
"""
"""Mirror the event's state onto its job: delete it when the event has ended, else reschedule it to `due_at`.

A job that another server has taken over is not changed.
"""


def install(connection: Connection) -> None:
    """Create Procrastinate's schema where it is missing. The caller holds the lock that prevents a second one."""
    if connection.exec_driver_sql("SELECT to_regclass('procrastinate_jobs')").scalar_one() is None:
        from procrastinate.schema import SchemaManager

        _driver(connection).execute(SchemaManager.get_schema())  # the whole script at once, without parameters


def defer(connection: Connection, events: Sequence[tuple[int, str]]) -> None:
    """Defer one job for each event, given as (seq, ticket key), in the caller's transaction."""
    if events:
        from procrastinate.jobs import Job

        jobs = [
            Job(id=None, queue=QUEUE, lock=key, queueing_lock=None, task_name=TASK, task_kwargs={"seq": seq})
            for seq, key in events
        ]
        _manager().batch_defer_jobs(jobs, connection=_driver(connection))


def take_back(connection: Connection, stalled: Sequence[Job]) -> dict[int, bool]:
    """Requeue those of the stalled jobs that have not changed since they were listed.

    Return, by the event's number, whether the server seems to have died; one that unregistered has lost its connection
    only.
    """
    held = [job.id for job in stalled], [job.attempts for job in stalled]
    taken = set(connection.exec_driver_sql(_TAKE_BACK, held).scalars())
    return {cast(int, job.task_kwargs["seq"]): job.worker_id is not None for job in stalled if job.id in taken}


@cache
def _manager() -> JobManager:
    """Return a job manager that uses the connections it is given, and opens none."""
    from procrastinate import SyncPsycopgConnector
    from procrastinate.manager import JobManager

    return JobManager(SyncPsycopgConnector())


def _driver(connection: Connection) -> Any:
    """Return psycopg's own connection, inside the transaction that SQLAlchemy has begun on it."""
    return connection.connection.driver_connection
