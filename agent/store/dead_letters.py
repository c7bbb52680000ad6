"""Dead letters: events that could not be worked off and wait for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from agent.store import deferred
from agent.store.inbox import DEAD, NEVER, OPEN_EVENTS
from agent.store.tables import Inbox


def retry(session: Session, seq: int, now: datetime) -> bool:
    """Make a dead letter waiting again, before the later events of its ticket; return False where there is none."""
    letter = session.get(Inbox, seq)
    if letter is None or letter.state != "dead":
        return False
    letter.state, letter.attempts, letter.crashes, letter.done_at = "waiting", 0, 0, None
    letter.due_at = NEVER
    session.flush()
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        letter.due_at = now
        deferred.defer(connection, [(seq, letter.ticket_key)])
        return True
    others = select(Inbox).where(Inbox.ticket_key == letter.ticket_key, OPEN_EVENTS, Inbox.due_at < NEVER)
    for other in session.exec(others).all():
        if other.state == "working":
            return True  # when it ends, the letter gets its turn
        if other.seq is not None and other.seq < seq:
            return True  # an older one has the turn
        other.due_at = NEVER
    letter.due_at = now
    return True


def drop(session: Session, seq: int) -> bool:
    """Drop a dead letter: nothing is done about it. Return False where there is none."""
    letter = session.get(Inbox, seq)
    if letter is None or letter.state != "dead":
        return False
    letter.state = "dropped"
    return True


def dead(session: Session) -> Sequence[int]:
    """Return the numbers of all dead letters, oldest first."""
    return [seq for seq in session.exec(select(Inbox.seq).where(DEAD).order_by(col(Inbox.seq))) if seq is not None]


def listed(session: Session, state: str, limit: int) -> Sequence[Inbox]:
    """Return the oldest events in a state."""
    return session.exec(select(Inbox).where(Inbox.state == state).order_by(col(Inbox.seq)).limit(limit)).all()
