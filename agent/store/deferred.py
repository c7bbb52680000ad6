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
