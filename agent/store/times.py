"""The times of the tables: aware, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, DateTime, Dialect, TypeDecorator


class Utc(TypeDecorator[datetime]):
    """An aware datetime that comes back aware: SQLite forgets the zone, so it is kept and read as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: D102 - SQLAlchemy's signature
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: D102 - SQLAlchemy's signature
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def time_column(nullable: bool = False) -> Any:
    """Return the column of a time."""
    return Column(Utc, nullable=nullable)
