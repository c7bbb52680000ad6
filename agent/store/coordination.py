"""What all servers on one database share: the time now, small values such as the pause, and who does a scheduled job.

`utcnow` follows the clock of a shared database, so that its servers agree when something is due. A server whose own
clock is minutes off would otherwise wait too short or too long for another one's request to settle, and retry too early
or too late. Between two reads of the database's clock a monotonic clock is added, so that setting ours has no effect.
The times of the tables are aware, and in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import Column, Connection, CursorResult, DateTime, Dialect, TypeDecorator, bindparam, text
from sqlmodel import Field, Session, SQLModel, col, select

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


class Tick(SQLModel, table=True):
    """One run of a scheduled job. The server that inserts the row runs it; the others do not."""

    job: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    at: datetime = Field(sa_column=time_column())


class SharedValue(SQLModel, table=True):
    """A small value that every server on this database sees."""

    __tablename__ = "shared_value"

    name: str = Field(primary_key=True)
    value: str
    at: datetime = Field(sa_column=time_column())


MODEL = "model"
"""The pointer to the model that all servers serve."""

WITHDRAWN = "withdrawn models"


def take_tick(session: Session, job: str, slot: str, now: datetime) -> bool:
    """Claim one run of a job; return True to exactly one caller among all processes on the database.

    If that process dies in the middle of it, the run is not repeated: the next one is a day away at most.
    """
    sql = "INSERT INTO tick (job, slot, at) VALUES (:job, :slot, :at) ON CONFLICT DO NOTHING"
    return _insert(session, sql, {"job": job, "slot": slot, "at": now})


def lead(session: Session, name: str, server: str, now: datetime, for_: timedelta) -> bool:
    """Return whether this server leads: it does already, or no other has shown itself as the leader for so long."""
    sql = (
        "INSERT INTO shared_value (name, value, at) VALUES (:name, :server, :at) ON CONFLICT (name) DO UPDATE"
        " SET value = excluded.value, at = excluded.at"
        " WHERE shared_value.value = excluded.value OR shared_value.at < :since"
    )
    return _insert(session, sql, {"name": name, "server": server, "at": now, "since": now - for_})


def agree(session: Session, name: str, proposal: str) -> str:
    """Return the value that all servers use: the first proposal."""
    sql = "INSERT INTO shared_value (name, value, at) VALUES (:name, :value, :at) ON CONFLICT DO NOTHING"
    _insert(session, sql, {"name": name, "value": proposal, "at": utcnow()})
    return session.get_one(SharedValue, name).value


def value(session: Session, name: str) -> str | None:
    """Return a shared value, None where it is not set."""
    row = session.get(SharedValue, name)
    return row.value if row else None


def put(session: Session, name: str, new: str | None) -> None:
    """Set a shared value, or remove it with None."""
    row = session.get(SharedValue, name)
    if new is None:
        if row is not None:
            session.delete(row)
        return
    session.merge(SharedValue(name=name, value=new, at=utcnow()))


def withdraw(session: Session, versions: Collection[str]) -> None:
    """Record that no server may serve or keep these versions of the model any more."""
    if versions:
        put(session, WITHDRAWN, json.dumps(sorted({*withdrawn(session), *versions})))
        if any(f'"{version}"' in (value(session, MODEL) or "") for version in versions):
            put(session, MODEL, None)


def withdrawn(session: Session) -> list[str]:
    """Return the versions that no server may serve any more."""
    return list(json.loads(value(session, WITHDRAWN) or "[]"))


def touch(session: Session, name: str, now: datetime) -> None:
    """Store the time under a name: a write that changes nothing else."""
    sql = (
        "INSERT INTO shared_value (name, value, at) VALUES (:name, '', :at)"
        " ON CONFLICT (name) DO UPDATE SET at = excluded.at"
    )
    _insert(session, sql, {"name": name, "at": now})


def touched(session: Session, prefix: str, since: datetime) -> list[str]:
    """Return the names with this prefix that were touched since then, without the prefix, in order."""
    recent = select(SharedValue.name).where(col(SharedValue.name).startswith(prefix), SharedValue.at >= since)
    return sorted(name.removeprefix(prefix) for name in session.exec(recent))


def _insert(session: Session, sql: str, values: dict[str, object]) -> bool:
    times = [bindparam(name, type_=Utc()) for name in ("at", "since") if name in values]
    result = session.execute(text(sql).bindparams(*times), values)
    return isinstance(result, CursorResult) and result.rowcount == 1
