"""Why nothing may be said just now: a person paused it, staff disagree too often, or the hour's comments are spent.

Decisions go on being recorded meanwhile. What was not said is not said later, either: it would come too late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from agent.domain import Strength
from agent.store import coordination, tickets
from agent.store.tables import Comment, Review

PAUSE = "pause"
ANSWERS_FROM = "answers from"
"""Name of the newest review at the last resumption: older answers have been looked at by the person who resumed."""

# With literals, for the databases use a partial index only where they see that its condition holds.
_ANSWER = text(f"strength >= {Strength.CONFIRMED:d} AND origin <> 'import'")

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop by oneself: new comments an hour, and the share of corrections among the latest answers."""

    comments_per_hour: int = 1_000
    corrected_share: float = 0.7
    answers: int = 20


def pause(session: Session, reason: str) -> None:
    """Say nothing from now on, on any server, until `resume`."""
    coordination.put(session, PAUSE, reason)


def resume(session: Session) -> None:
    """Speak again, and judge staff's disagreement by later answers only."""
    coordination.put(session, PAUSE, None)
    coordination.put(session, ANSWERS_FROM, str(tickets.newest_review(session)))


def paused(session: Session) -> str | None:
    """Return why all comments are paused, None where they are not."""
    return coordination.value(session, PAUSE)


def brake(session: Session, limits: Limits, now: datetime) -> str | None:
    """Return why no new comment may be posted, None where it may. Pauses where staff disagree too often."""
    if reason := paused(session):
        return reason
    if reason := _disagreement(session, limits):
        pause(session, reason)
        return reason
    recent = select(func.count()).select_from(Comment).where(col(Comment.attempted_at) > now - HOUR)
    if session.exec(recent).one() >= limits.comments_per_hour:
        return f"{limits.comments_per_hour} comments within an hour"
    return None


def _disagreement(session: Session, limits: Limits) -> str | None:
    since = int(coordination.value(session, ANSWERS_FROM) or 0)
    latest = select(Review.strength).where(col(Review.id) > since, _ANSWER)
    strengths = session.exec(latest.order_by(col(Review.id).desc()).limit(limits.answers)).all()
    corrected = sum(strength == Strength.CORRECTED for strength in strengths)
    if len(strengths) < limits.answers or corrected < limits.corrected_share * limits.answers:
        return None
    return f"staff corrected {corrected} of the latest {limits.answers} answers"
