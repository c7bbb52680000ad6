"""The times of the tables, aware and in UTC, and the time now, the same on all servers of a shared database.

`utcnow` follows the clock of a shared database, so that its servers agree when something is due. A server whose own
clock is minutes off would otherwise wait too short or too long for another one's request to settle, and retry too early
or too late. Between two reads of the database's clock a monotonic clock is added, so that setting ours has no effect.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import Column, Connection, DateTime, Dialect, TypeDecorator

JUST_AFTER = timedelta(microseconds=1)
"""The step to what must come later although a clock was set back."""


class Utc(TypeDecorator[datetime]):
    """An aware datetime that comes back aware: SQLite forgets the zone, so it is kept and read as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: D102 - SQLAlchemy's signature
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: D102 - SQLAlchemy's signature
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def time_column(nullable: bool = False, index: bool = False) -> Any:
    """Return the column of a time."""
    return Column(Utc, nullable=nullable, index=index)


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
