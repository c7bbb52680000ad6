"""The state of an installation in figures, for `/metrics` and `rolecall queue status`.

No query here may cost more the more events are stored: done ones are never looked at, but for a fixed number. What is
open is counted in its own partial indexes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from agent.store import brakes, inbox
from agent.store.tables import Inbox, Training

LATELY = 1_000
"""So many events before the next one are looked at to see how fast work goes."""

RECENT = timedelta(minutes=10)
LEAST = 10
"""Fewer events than these say nothing about the pace."""

USUAL_RATE = 60.0
"""Events a second: 100,000 take half an hour on two cores. Said where nothing was done lately."""


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
    return Figures(inbox.counts(session), inbox.oldest(session), brakes.paused(session), last)


def rate(session: Session, now: datetime) -> float | None:
    """Return how many events a second were done lately, None where that cannot be told.

    Events are done roughly in their order, so the latest are those before the one whose turn comes next.
    """
    latest = select(Inbox.done_at).order_by(col(Inbox.seq).desc()).limit(LATELY)
    if (upcoming := inbox.upcoming(session)) is not None:
        latest = latest.where(col(Inbox.seq) < upcoming)
    recent = sorted(at for at in session.exec(latest) if at is not None and now - at < RECENT)
    if len(recent) < LEAST:
        return None
    return len(recent) / max((now - recent[0]).total_seconds(), 1e-3)
