"""The state of an installation in figures, for `/metrics` and `rolecall queue status`.

No query here may cost more the more events are stored: of done events only a fixed number is read, and open ones are
counted in partial indexes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from agent.domain import LEFT_ALONE
from agent.store import comments
from agent.store.inbox import DEAD, NEVER, OPEN_EVENTS, WAITING
from agent.store.tables import Decision, Inbox, Training

LATELY = 1_000
"""How many events before the next one are read to measure the rate."""

RECENT = timedelta(minutes=10)
LEAST = 10
"""Fewer events than these are no basis for a rate."""

LATEST_DECISIONS = 1_000
"""How many decisions are looked through for tickets that were left alone."""

USUAL_RATE = 60.0
"""Events a second, assumed where nothing was done lately: 100,000 take half an hour on two cores."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Events by state, the oldest open one's receipt, why comments are paused, and the last training."""

    events: Mapping[str, int]
    oldest: datetime | None
    paused: str | None
    training: Training | None


def figures(session: Session) -> Figures:
    """Read all of it in one transaction."""
    last = session.exec(select(Training).order_by(col(Training.id).desc()).limit(1)).first()
    return Figures(counts(session), oldest(session), comments.paused(session), last)


def left_alone(session: Session) -> dict[str, int]:
    """Return how many of the tickets that were decided on last were left alone, by the reason."""
    latest = select(Decision.reason).order_by(col(Decision.id).desc()).limit(LATEST_DECISIONS)
    return Counter(reason for reason in session.exec(latest) if reason in LEFT_ALONE)


def rate(session: Session, now: datetime) -> float | None:
    """Return how many events a second were done lately, None where that cannot be told.

    Events are done roughly in their order, so the latest are those before the one whose turn comes next.
    """
    latest = select(Inbox.done_at).order_by(col(Inbox.seq).desc()).limit(LATELY)
    if (coming := upcoming(session)) is not None:
        latest = latest.where(col(Inbox.seq) < coming)
    recent = sorted(at for at in session.exec(latest) if at is not None and now - at < RECENT)
    if len(recent) < LEAST:
        return None
    return len(recent) / max((now - recent[0]).total_seconds(), 1e-3)


def counts(session: Session) -> dict[str, int]:
    """Return how many events are in each open or dead state."""
    number = select(func.count()).select_from(Inbox)
    waiting = session.exec(number.where(WAITING)).one()
    working = session.exec(number.where(OPEN_EVENTS)).one() - waiting
    dead = session.exec(number.where(DEAD)).one()
    found = {"waiting": waiting, "working": working, "dead": dead}
    return {state: count for state, count in found.items() if count}


def oldest(session: Session) -> datetime | None:
    """Return when the oldest open event was received, None where nothing is open."""
    first = select(func.min(col(Inbox.seq) + 0)).where(
        OPEN_EVENTS
    )  # the sum keeps them from walking through all done events
    return session.exec(select(Inbox.received_at).where(Inbox.seq == first.scalar_subquery())).first()


def upcoming(session: Session) -> int | None:
    """Return the number of the event whose turn comes next, None where none waits for its turn."""
    turn = select(Inbox.seq).where(WAITING, Inbox.due_at < NEVER).order_by(col(Inbox.due_at)).limit(1)
    return session.exec(turn).first()
