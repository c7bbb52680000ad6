"""What time it is: by the shared database's clock where there is one, so that servers agree when a thing is due.

A server whose own clock is minutes off would otherwise wait too short or too long for a request of another one to
settle, and try again too early or too late. Between two looks at the database's clock a steady one runs on: what is
done to ours meanwhile changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic

from sqlalchemy import Connection

_looked: tuple[datetime, float] | None = None
"""The database's time at the last look, and the steady clock's."""


def utcnow() -> datetime:
    """Return the present moment, aware."""
    if _looked is None:
        return datetime.now(UTC)
    there, then = _looked
    return there + timedelta(seconds=monotonic() - then)


def follow(connection: Connection) -> timedelta:
    """Read the database's clock, go by it from now on, and return how far it is ahead of ours."""
    global _looked
    before = monotonic()
    there: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    _looked = there, (before + monotonic()) / 2
    return utcnow() - datetime.now(UTC)
