"""The time, the same on all servers of a shared database.

`utcnow` follows the clock of a shared database, so that its servers agree when something is due. A server whose own
clock is minutes off would otherwise wait too short or too long for another one's request to settle, and retry too early
or too late. Between two reads of the database's clock a monotonic clock is added, so that setting ours has no effect.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic

from sqlalchemy import Connection

_looked: tuple[datetime, float] | None = None
"""The database's time when it was last read, and the monotonic clock's at that moment."""


def utcnow() -> datetime:
    """Return the current time in UTC, aware."""
    if _looked is None:
        return datetime.now(UTC)
    there, then = _looked
    return there + timedelta(seconds=monotonic() - then)


def follow(connection: Connection) -> timedelta:
    """Read the database's clock, use it for `utcnow` from now on, and return how far it is ahead of ours."""
    global _looked
    before = monotonic()
    there: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    _looked = there, (before + monotonic()) / 2
    return utcnow() - datetime.now(UTC)
