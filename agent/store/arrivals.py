"""Taking events into the inbox: each happening once, however often and under however many ids it is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlmodel import Session

from agent.domain import ticket_key
from agent.store import deferred
from agent.store.inbox import EVENT, NEVER, give_turn
from connectors.events import Event

_COLUMNS = (
    "source, delivery_id, kind, ticket_key, content_hash, received_at, due_at, event, raw, state, attempts, crashes"
)
_BEHIND = "(?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0, 0)"
_PERHAPS_BEHIND = (
    "(?, ?, ?, ?, ?, ?, CASE WHEN EXISTS (SELECT 1 FROM inbox AS o WHERE o.ticket_key = ? AND o.state IN ('waiting',"
    " 'working')) THEN ? ELSE ? END, ?, ?, 'waiting', 0, 0)"
)
_SQLITE_TIME = "%Y-%m-%d %H:%M:%S.%f"
"""As SQLAlchemy writes a time into SQLite; statements in raw form have to do it themselves."""

_NEVER = NEVER.strftime(_SQLITE_TIME)

MAX_ROWS = 1_000
"""Events in one INSERT: SQLite takes 32,766 parameters."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified event on its way into the inbox, with the raw request that brought it."""

    source: str
    event: Event
    raw: bytes
    received_at: datetime


def accept(session: Session, arrivals: Sequence[Arrival]) -> list[bool]:
    """Keep the events that are new; False marks a repetition, by delivery id or by content."""
    fresh: list[bool] = []
    for start in range(0, len(arrivals), MAX_ROWS):
        fresh += _insert(session, arrivals[start : start + MAX_ROWS])
    return fresh


def _insert(session: Session, arrivals: Sequence[Arrival]) -> list[bool]:
    """Insert with one statement, whatever the number of rows.

    Every statement gives the interpreter's lock away, and may wait 5 ms to have it back from a busy event loop.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        return _insert_and_defer(connection, arrivals)
    rows, values, seen = [], [], set[str]()
    for arrival in arrivals:
        key = ticket_key(arrival.source, arrival.event.ticket_id)
        at = arrival.received_at.strftime(_SQLITE_TIME)
        first, last = _row(arrival, key, at)
        if key in seen:
            rows.append(_BEHIND)
            values += [*first, _NEVER, *last]
        else:
            rows.append(_PERHAPS_BEHIND)
            values += [*first, key, _NEVER, at, *last]
        seen.add(key)
    sql = f"INSERT INTO inbox ({_COLUMNS}) VALUES {', '.join(rows)} ON CONFLICT DO NOTHING"  # noqa: S608 - constants only
    count = connection.exec_driver_sql(sql, tuple(values)).rowcount
    if count == len(arrivals):
        return [True] * count
    newest = "SELECT source, delivery_id, kind FROM inbox ORDER BY seq DESC LIMIT ?"
    left = {(source, identifier, kind) for source, identifier, kind in connection.exec_driver_sql(newest, (count,))}
    for key in seen:
        give_turn(session, key)  # what was to stand before an event may have been a repetition
    return [_take(left, (a.source, a.event.delivery_id, a.event.kind.value)) for a in arrivals]


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
    left = {(row.source, row.delivery_id, row.kind) for row in kept}
    return [_take(left, (a.source, a.event.delivery_id, a.event.kind.value)) for a in arrivals]


def _take(left: set[tuple[str, str, str]], identity: tuple[str, str, str]) -> bool:
    """Tell whether this one was kept; the second of two alike in one batch was not."""
    if identity in left:
        left.remove(identity)
        return True
    return False


def _row(arrival: Arrival, key: str, at: object) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Return the values before and behind `due_at`."""
    event = arrival.event
    before = (arrival.source, event.delivery_id, event.kind.value, key, content_hash(event), at)
    return before, (EVENT.dump_json(event).decode(), arrival.raw)


def content_hash(event: Event) -> str:
    """Return a hash of the happening itself: two deliveries with different ids can tell of the same one."""
    comment = event.comment
    happening = (
        event.occurred_at.isoformat() if event.occurred_at else event.delivery_id,
        (comment.id, comment.author_id, comment.text) if comment else None,
    )
    return hashlib.sha256(json.dumps(happening).encode()).hexdigest()
