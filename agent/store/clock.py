"""What time it is: by the shared database's clock where there is one, so that servers agree when a thing is due.

A server whose own clock is minutes off would otherwise wait too short or too long for a request of another one to
settle, and try again too early or too late.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

_ahead = timedelta(0)
"""How far the database's clock is ahead of ours."""


def utcnow() -> datetime:
    """Return the present moment, aware."""
    return datetime.now(UTC) + _ahead


def follow(connection: Connection) -> timedelta:
    """Read the database's clock, go by it from now on, and return how far it is ahead of ours."""
    global _ahead
    before = datetime.now(UTC)
    there: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    _ahead = there - (before + (datetime.now(UTC) - before) / 2)
    return _ahead
