"""Jobs on PostgreSQL: deferred in the very transaction that keeps the event, so that neither exists without the other.

Procrastinate's own schema and its own SQL. Its locks keep the jobs of a ticket in order, a waiting retry included.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

QUEUE = "rolecall"
TASK = "rolecall.event"

_DEFER = """
SELECT procrastinate_defer_jobs_v1(array_agg(
    ROW(%s, %s, 0, key, NULL, jsonb_build_object('seq', seq), NULL)::procrastinate_job_to_defer_v1 ORDER BY seq))
FROM unnest(%s::bigint[], %s::text[]) AS kept (seq, key)
"""
"""As `defer_jobs` in procrastinate/sql/queries.sql of release 3.10."""

_TAKE_BACK = """
UPDATE procrastinate_jobs AS job
SET status = 'todo', attempts = job.attempts + 1, scheduled_at = NULL, worker_id = NULL, abort_requested = false
FROM (
    SELECT job.id, worker.id IS NOT NULL AS died
    FROM procrastinate_jobs AS job LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND job.queue_name = %s
        AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %s))
    FOR UPDATE OF job SKIP LOCKED) AS left_behind
WHERE job.id = left_behind.id
RETURNING (job.args->>'seq')::bigint AS seq, left_behind.died
"""

FOLLOW = """
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
"""Let a job do as its event: end with it, or wait as long as it. A job that others have taken over is left alone."""


def install(connection: Connection) -> None:
    """Create Procrastinate's schema where it is missing; the caller keeps others from doing the same."""
    if connection.exec_driver_sql("SELECT to_regclass('procrastinate_jobs')").scalar_one() is None:
        from procrastinate.schema import SchemaManager

        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - inside a transaction there is one
        driver.execute(SchemaManager.get_schema())  # the whole script at once, without parameters


def defer(connection: Connection, events: Sequence[tuple[int, str]]) -> None:
    """Let each event, given as (seq, ticket key), be worked on once after this transaction."""
    if events:
        seqs, keys = map(list, zip(*events, strict=True))
        connection.exec_driver_sql(_DEFER, (QUEUE, TASK, seqs, keys))


def take_back(connection: Connection, seconds: float) -> dict[int, bool]:
    """Queue again what servers without a heartbeat for so long had in hand.

    Return by the event's number whether the server seems to have died: others have signed off, and lost touch only.
    """
    return {row.seq: row.died for row in connection.exec_driver_sql(_TAKE_BACK, (QUEUE, seconds))}
