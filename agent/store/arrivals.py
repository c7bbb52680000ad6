"""Insert events into the inbox: each occurrence once, however often and under however many ids it is delivered."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from agent.domain import ticket_key
from agent.store import deferred
from agent.store.database import Database
from agent.store.inbox import EVENT, NEVER, give_turns
from agent.store.tables import Inbox
from connectors.events import Event

_COLUMNS = (
    "source, delivery_id, kind, ticket_key, content_hash, received_at, due_at, event, raw, traceparent, state,"
    " attempts, crashes"
)
_BEHIND = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0, 0)"
_PERHAPS_BEHIND = (
    "(?, ?, ?, ?, ?, ?, CASE WHEN EXISTS (SELECT 1 FROM inbox AS o WHERE o.ticket_key = ? AND o.state IN ('waiting',"
    " 'working')) THEN ? ELSE ? END, ?, ?, ?, 'waiting', 0, 0)"
)


def _sqlite_time(moment: datetime) -> str:
    """Return a UTC time in the format that SQLAlchemy uses in SQLite; raw statements have to convert it themselves."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


_NEVER = _sqlite_time(NEVER)

MAX_ROWS = 1_000
"""Events in one INSERT: SQLite takes 32,766 parameters, PostgreSQL 65,535."""


SAME_MOMENT = timedelta(seconds=1)
"""Systems round the times that they tell."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified event on its way into the inbox, with the raw request that brought it."""

    source: str
    event: Event
    raw: bytes
    received_at: datetime
    traceparent: str | None = None


Kept = Callable[[Sequence[bool]], None]
"""Called after the commit, with which of the arrivals were new."""

Trace = Callable[[Sequence[Arrival]], tuple[Sequence[Arrival], Kept]]
"""Returns the arrivals with their `traceparent`, and a callback for after the commit."""


def untraced(arrivals: Sequence[Arrival]) -> tuple[Sequence[Arrival], Kept]:
    """Return the arrivals unchanged, without traces."""
    return arrivals, lambda fresh: None


def keep(database: Database, arrivals: Sequence[Arrival]) -> list[bool]:
    """Store the events that are new, durably; False marks a repetition, by delivery id or by content.

    On SQLite one plain INSERT is the whole transaction: every statement, and every row that it returns, releases the
    GIL, and the event loop takes it each time (5,800 acknowledgements a second with BEGIN and COMMIT, 8,000 without).
    A repetition makes it fail as a whole; then they are sorted out in a transaction of several statements.
    """
    if database.clustered or len(arrivals) > MAX_ROWS:
        return database.call(accept, arrivals)
    try:
        database.autocommit(*_insertion(arrivals))
    except IntegrityError:
        return database.call(accept, arrivals)
    return [True] * len(arrivals)


def accept(session: Session, arrivals: Sequence[Arrival]) -> list[bool]:
    """Store the events that are new, in the caller's transaction; return for each arrival whether it was new."""
    connection = session.connection()
    fresh: list[bool] = []
    for start in range(0, len(arrivals), MAX_ROWS):
        some = arrivals[start : start + MAX_ROWS]
        if connection.dialect.name == "postgresql":
            fresh += _insert_and_defer(connection, some)
        else:
            fresh += _insert_new(session, some)
    again = _used_again(session, arrivals, fresh)
    for place, new in zip(again, accept(session, list(again.values())) if again else (), strict=True):
        fresh[place] = new
    return fresh


def _used_again(session: Session, arrivals: Sequence[Arrival], fresh: Sequence[bool]) -> dict[int, Arrival]:
    """Return, by place, the arrivals whose id belongs to something that happened at another time.

    A system that was restored from a backup gives its numbers again. These arrivals get ids of their own.
    """
    found = {}
    for place, arrival in enumerate(arrivals):
        event = arrival.event
        if fresh[place] or event.occurred_at is None:
            continue
        same = Inbox.source == arrival.source, Inbox.delivery_id == event.delivery_id, Inbox.kind == event.kind.value
        stored = session.exec(select(Inbox.event).where(*same)).first()
        at = EVENT.validate_json(stored).occurred_at if stored else None
        if at is not None and abs(event.occurred_at - at) > SAME_MOMENT:
            renamed = replace(event, delivery_id=f"{event.delivery_id}@{event.occurred_at.isoformat()}")
            found[place] = replace(arrival, event=renamed)
    return found


def _insertion(arrivals: Sequence[Arrival]) -> tuple[str, tuple[object, ...]]:
    """Return one INSERT statement for SQLite, and its parameters."""
    rows, values, seen = [], [], set[str]()
    for arrival in arrivals:
        key = ticket_key(arrival.source, arrival.event.ticket_id)
        at = _sqlite_time(arrival.received_at)
        first, last = _row(arrival, key, at)
        if key in seen:
            rows.append(_BEHIND)
            values += [*first, _NEVER, *last]
        else:
            rows.append(_PERHAPS_BEHIND)
            values += [*first, key, _NEVER, at, *last]
        seen.add(key)
    return f"INSERT INTO inbox ({_COLUMNS}) VALUES {', '.join(rows)}", tuple(values)  # noqa: S608 - constants only


def _insert_new(session: Session, arrivals: Sequence[Arrival]) -> list[bool]:
    """Insert what is no repetition, with its turn: an event may stand behind a repetition of its ticket."""
    sql, values = _insertion(arrivals)
    returning = " ON CONFLICT DO NOTHING RETURNING source, delivery_id, kind"
    rows = session.connection().exec_driver_sql(sql + returning, values)
    kept = [(row.source, row.delivery_id, row.kind) for row in rows]
    if len(kept) < len(arrivals):
        counts = Counter(ticket_key(a.source, a.event.ticket_id) for a in arrivals)
        give_turns(session, [key for key, count in counts.items() if count > 1])
    return _fresh(arrivals, kept)


def _insert_and_defer(connection: Connection, arrivals: Sequence[Arrival]) -> list[bool]:
    values = []
    for arrival in arrivals:
        key = ticket_key(arrival.source, arrival.event.ticket_id)
        first, last = _row(arrival, key, arrival.received_at)
        values += [*first, arrival.received_at, *last]
    sql = (
        f"INSERT INTO inbox ({_COLUMNS}) VALUES {', '.join([_BEHIND] * len(arrivals))} ON CONFLICT DO NOTHING"  # noqa: S608 - constants only
        " RETURNING seq, ticket_key, source, delivery_id, kind"
    )
    kept = connection.exec_driver_sql(sql.replace("?", "%s"), tuple(values)).all()
    deferred.defer(connection, [(row.seq, row.ticket_key) for row in kept])
    return _fresh(arrivals, [(row.source, row.delivery_id, row.kind) for row in kept])


def _fresh(arrivals: Sequence[Arrival], kept: Sequence[tuple[str, str, str]]) -> list[bool]:
    """Return for each arrival whether its identity is among the inserted ones."""
    left = {(source, delivery, kind) for source, delivery, kind in kept}
    return [_take(left, (a.source, a.event.delivery_id, a.event.kind.value)) for a in arrivals]


def _take(left: set[tuple[str, str, str]], identity: tuple[str, str, str]) -> bool:
    """Return whether the identity is left, and remove it: of two alike in one batch only the first was inserted."""
    if identity in left:
        left.remove(identity)
        return True
    return False


def _row(arrival: Arrival, key: str, at: object) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Return the values before and after `due_at`."""
    event = arrival.event
    before = (arrival.source, event.delivery_id, event.kind.value, key, content_hash(event), at)
    return before, (EVENT.dump_json(event).decode(), arrival.raw, arrival.traceparent)


def content_hash(event: Event) -> str:
    """Return a hash of the occurrence itself: two deliveries with different ids can report the same one."""
    message = event.message
    occurrence = [event.occurred_at.isoformat() if event.occurred_at else event.delivery_id]
    if message:
        occurrence += [message.id or "", message.author_id or "", message.text]
    return hashlib.sha256("\0".join(occurrence).encode("utf-8", "surrogatepass")).hexdigest()
