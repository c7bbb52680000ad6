"""The inbox: accepted events in arrival order, worked off per ticket in that order.

An event is claimable when it is due and no earlier event of its ticket is still open: a ticket that waits for its retry
holds up nothing but itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import CursorResult, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, exists, select, update
from sqlmodel.sql.expression import SelectOfScalar

from agent.domain import ticket_key
from agent.store.tables import Inbox
from connectors.events import Event

MAX_CRASHES = 5
"""After this many deaths of the process in the middle of one event, the event is poison."""

OPEN = ("waiting", "working")

_EVENT = TypeAdapter(Event)

_COLUMNS = (
    "source, delivery_id, kind, ticket_key, content_hash, received_at, due_at, event, raw, state, attempts, crashes"
)
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0, 0)"

_IDENTITY = "source, delivery_id, kind"
_SQLITE_TIME = "%Y-%m-%d %H:%M:%S.%f"
"""As SQLAlchemy writes a time into SQLite; statements in raw form have to do it themselves."""

MAX_ROWS = 1_000
"""Events in one INSERT: SQLite takes 32,766 parameters."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified event on its way into the inbox, with the raw request that brought it."""

    source: str
    event: Event
    raw: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed event. `attempt` counts from 1."""

    seq: int
    source: str
    event: Event
    attempt: int

    @property
    def ticket_key(self) -> str:
        """The ticket's name across systems."""
        return ticket_key(self.source, self.event.ticket_id)


def accept(session: Session, arrivals: Sequence[Arrival]) -> list[bool]:
    """Keep the events that are new; False marks a repetition, by delivery id or by content."""
    fresh: list[bool] = []
    for start in range(0, len(arrivals), MAX_ROWS):
        fresh += _insert(session, arrivals[start : start + MAX_ROWS])
    return fresh


def _insert(session: Session, arrivals: Sequence[Arrival]) -> list[bool]:
    """Insert with one statement, whatever the number of rows.

    Every statement gives the interpreter's lock away and may wait 5 ms to have it back from a busy event loop: one
    statement a row was measured at 0.6 of this one's throughput.
    """
    connection = session.connection()
    sqlite = connection.dialect.name == "sqlite"
    sql = f"INSERT INTO inbox ({_COLUMNS}) VALUES {', '.join([_ROW] * len(arrivals))} ON CONFLICT DO NOTHING"  # noqa: S608 - constants only
    values = tuple(value for arrival in arrivals for value in _row(arrival, sqlite))
    if sqlite:
        count = connection.exec_driver_sql(sql, values).rowcount
        if count == len(arrivals):
            return [True] * count
        newest = f"SELECT {_IDENTITY} FROM inbox ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constants only
        kept = connection.exec_driver_sql(newest, (count,)).all()
    else:
        kept = connection.exec_driver_sql(f"{sql} RETURNING {_IDENTITY}".replace("?", "%s"), values).all()
    left = {(source, delivery_id, kind) for source, delivery_id, kind in kept}
    return [_take(left, (a.source, a.event.delivery_id, a.event.kind.value)) for a in arrivals]


def _take(left: set[tuple[str, str, str]], identity: tuple[str, str, str]) -> bool:
    """Tell whether this one was kept; the second of two alike in one batch was not."""
    if identity in left:
        left.remove(identity)
        return True
    return False


def _row(arrival: Arrival, sqlite: bool) -> tuple[object, ...]:
    event, received_at = arrival.event, arrival.received_at
    at = received_at.strftime(_SQLITE_TIME) if sqlite else received_at
    return (
        arrival.source,
        event.delivery_id,
        event.kind.value,
        ticket_key(arrival.source, event.ticket_id),
        content_hash(event),
        at,
        at,
        _EVENT.dump_json(event).decode(),
        arrival.raw,
    )


def content_hash(event: Event) -> str:
    """Return a hash of the happening itself: two deliveries with different ids can tell of the same one."""
    comment = event.comment
    happening = (
        event.occurred_at.isoformat() if event.occurred_at else event.delivery_id,
        (comment.id, comment.author_id, comment.text) if comment else None,
    )
    return hashlib.sha256(json.dumps(happening).encode()).hexdigest()


def claim(session: Session, limit: int, now: datetime) -> list[Job]:
    """Take up to `limit` due events, at most one per ticket, each the oldest open one of its ticket."""
    rows = session.exec(_claimable().where(Inbox.due_at <= now).limit(limit)).all()
    for row in rows:
        row.state = "working"
        row.attempts += 1
    return [_job(row) for row in rows]


def _claimable() -> SelectOfScalar[Inbox]:
    earlier = aliased(Inbox)
    blocked = exists().where(
        col(earlier.ticket_key) == Inbox.ticket_key, col(earlier.seq) < Inbox.seq, col(earlier.state).in_(OPEN)
    )
    return select(Inbox).where(Inbox.state == "waiting", ~blocked).order_by(col(Inbox.due_at), col(Inbox.seq))


def _job(row: Inbox) -> Job:
    assert row.seq is not None  # noqa: S101 - a stored row has its key
    return Job(row.seq, row.source, _EVENT.validate_json(row.event), row.attempts)


def finish(session: Session, seq: int, now: datetime) -> None:
    """Mark the event as done."""
    _set(session, seq, state="done", done_at=now, error=None)


def retry(session: Session, seq: int, due_at: datetime, error: str) -> None:
    """Put the event back, to be tried again at `due_at`."""
    _set(session, seq, state="waiting", due_at=due_at, error=error)


def bury(session: Session, seq: int, error: str, now: datetime) -> None:
    """Make the event a dead letter: a person decides."""
    _set(session, seq, state="dead", done_at=now, error=error)


def _set(session: Session, seq: int, **values: object) -> None:
    session.execute(update(Inbox).where(col(Inbox.seq) == seq).values(**values))


def recover(session: Session, now: datetime) -> int:
    """Take back what a dead process was working on; return how many events that were.

    An event that has killed the process MAX_CRASHES times becomes a dead letter.
    """
    stranded = session.exec(select(Inbox).where(Inbox.state == "working")).all()
    for row in stranded:
        row.crashes += 1
        poison = row.crashes >= MAX_CRASHES
        row.state = "dead" if poison else "waiting"
        row.error = f"the process ended {row.crashes} times while working on this"
        row.done_at = now if poison else None
    return len(stranded)


def next_due(session: Session) -> datetime | None:
    """Return when the next claimable event is due, or None where there is none."""
    row = session.exec(_claimable().limit(1)).first()
    return row.due_at if row else None


def replay(session: Session, seq: int, now: datetime) -> bool:
    """Give a dead letter another life; False where there is no such dead letter."""
    result = session.execute(
        update(Inbox)
        .where(col(Inbox.seq) == seq, col(Inbox.state) == "dead")
        .values(state="waiting", due_at=now, attempts=0, crashes=0, done_at=None)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1


def counts(session: Session) -> dict[str, int]:
    """Return how many events are in each open or dead state."""
    rows = session.exec(select(Inbox.state, func.count()).where(Inbox.state != "done").group_by(Inbox.state)).all()
    return dict(rows)
