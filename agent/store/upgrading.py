"""Upgrade a PostgreSQL that others use: say whom the upgrade waits for, let them go first, and end with their names.

Whoever waits for a table there holds up all who come after, readers too. So an upgrade waits for a few seconds, gives
all back that it has, and begins anew: until a session that was left in a transaction must have been ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from agent.errors import NotPossibleYet
from agent.store.long_transactions import take_time

UPGRADE_LOCK = 7_655_223
"""Key of the advisory lock under which one server upgrades while the others wait, for as long as that takes."""

LOCK_SECONDS, PAUSE_SECONDS = 5.0, 5.0
"""How long one attempt waits for a table, and others go first before the next one."""

LOOK_SECONDS = 2.0
"""An upgrade that waits for so long says for whom."""

MOST_SECONDS = 600.0
"""From then on no attempt is made: a report's transaction ends after half of it (agent.store.long_transactions)."""

_IN_VAIN = ("55P03", "40P01")
"""lock_not_available, deadlock_detected: https://www.postgresql.org/docs/current/errcodes-appendix.html"""

_IN_THE_WAY = """
SELECT pid, coalesce(nullif(application_name, ''), usename, 'without a name'), coalesce(state, 'at work'),
       to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(%s)) ORDER BY xact_start
"""

log = structlog.get_logger()


def patiently(engine: Engine, upgrade: Callable[[Connection], None]) -> None:
    """Run `upgrade` in one transaction, as the only one, anew where others are in its way.

    Raises NotPossibleYet where they still are after MOST_SECONDS.
    """
    seen: dict[int, str] = {}
    until: float | None = None
    waits = True
    while waits:
        try:
            with _watched(engine, seen) as connection:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")
                until = until or time.monotonic() + MOST_SECONDS
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{int(LOCK_SECONDS * 1000)}ms'")
                upgrade(connection)
                waits = False
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _IN_VAIN:
                raise
            if until is not None and time.monotonic() > until:
                raise NotPossibleYet(_given_up(seen)) from error
            time.sleep(PAUSE_SECONDS)


@contextmanager
def _watched(engine: Engine, seen: dict[int, str]) -> Iterator[Connection]:
    """Yield a connection in a transaction, and keep in `seen` whom it waits for, looking from beside."""
    ended = Event()
    with engine.connect() as beside, engine.begin() as connection:
        beside.execution_options(isolation_level="AUTOCOMMIT")
        take_time(connection)  # on a busy machine a step may be far from the next, and others wait anyway
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        watch = Thread(target=_watch, args=(beside, pid, seen, ended), name="upgrade-watch", daemon=True)
        watch.start()
        try:
            yield connection
        finally:
            ended.set()
            watch.join()


def _watch(beside: Connection, pid: int, seen: dict[int, str], ended: Event) -> None:
    while not ended.wait(LOOK_SECONDS):
        try:
            rows = beside.exec_driver_sql(_IN_THE_WAY, (pid,)).all()
        except DBAPIError:
            return  # it cannot be told; the upgrade itself meets the same trouble
        found = {number: f"{number} ({name}, {state} since {since} UTC)" for number, name, state, since in rows}
        if found and found.keys() != seen.keys():
            seen.clear()
            seen.update(found)
            log.warning("upgrade_waits", for_sessions=", ".join(found.values()))


def _given_up(seen: dict[int, str]) -> str:
    who, ended = ", ".join(seen.values()), ", ".join(f"pg_terminate_backend({number})" for number in seen)
    return (
        f"the schema of the database was not upgraded, and nothing of it changed: for {MOST_SECONDS / 60:.0f} minutes"
        f" another session held what the upgrade needs: {who or 'it could not be seen which'}. Let it end its"
        f" transaction, or end it with psql: `SELECT {ended or '...'}`; then start again"
    )
