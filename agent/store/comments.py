"""Our own comments, one row per ticket, and the brakes that stop new ones.

The brakes are: a person paused Rolecall, staff correct it too often, or the hour's comments are used up. Decisions are
still recorded. Only a pause by hand holds back answers to what staff ask for, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from agent.domain import Strength, Via
from agent.store import coordination, tickets
from agent.store.coordination import JUST_AFTER
from agent.store.pausing import ANSWERING, PAUSE
from agent.store.tables import Comment, Review, SharedValue, utcnow
from connectors.base import Stored


class Withheld(StrEnum):
    """Why a comment is not on its ticket, where that lasts. A pause is not among them: it is over when it is over."""

    HOURLY_LIMIT = "hourly_limit"
    DELETED = "deleted"
    IN_SHADOW = "in_shadow"


def want(session: Session, key: str, mark: str, text: Callable[[str], str]) -> Comment:
    """Store what our comment on the ticket should say, and return its row.

    `text` is called with the mark that the comment was given first, even if the ticket's key has changed since.
    """
    comment = session.get(Comment, key) or Comment(ticket_key=key, marker=mark, text="")
    comment.text = text(comment.marker)
    session.add(comment)
    return comment


def get(session: Session, key: str) -> Comment | None:
    """Return the row of our comment on the ticket, None where there is none."""
    return session.get(Comment, key)


def told_unknown(session: Session, key: str) -> None:
    """Record that the ticket has an answer to an account that is not known as staff: there is one at most."""
    if (comment := session.get(Comment, key)) is not None:
        comment.told_unknown = True


def latest(session: Session, source: str) -> Comment | None:
    """Return the comment of a connector's tickets that was last attempted, None where there is none."""
    tried = select(Comment).where(
        col(Comment.ticket_key).startswith(f"{source}:", autoescape=True), col(Comment.attempted_at).is_not(None)
    )
    return session.exec(tried.order_by(col(Comment.attempted_at).desc()).limit(1)).first()


def attempt(session: Session, key: str, at: datetime) -> datetime:
    """Record, before the request is sent, that the comment may exist or change from now on; return the attempt's time.

    It is later than the last outcome even if the clock was set back: `unsettled` compares the two.
    """
    comment = session.get_one(Comment, key)
    comment.attempted_at = max(at, comment.posted_at + JUST_AFTER) if comment.posted_at else at
    return comment.attempted_at


def unsettled(comment: Comment) -> datetime | None:
    """Return the time of the attempt whose outcome is not known, None where there is none."""
    tried, posted = comment.attempted_at, comment.posted_at
    return tried if tried is not None and (posted is None or posted < tried) else None


def refused(session: Session, key: str, at: datetime) -> None:
    """Record that the attempt made at `at` had no effect: the system refused it, or was never reached."""
    comment = session.get_one(Comment, key)
    if comment.attempted_at == at:  # a later attempt of another server may still be under way
        comment.attempted_at = comment.posted_at


def posted(
    session: Session,
    key: str,
    stored: Stored,
    at: datetime,
    version: str,
    staff_text: str | None,
    choices: Sequence[Sequence[str]] | None,
) -> None:
    """Record which comment is on the ticket, its version and form, what it offers, and the words of staff in it.

    Without `choices`, it offers what the last decision on the ticket suggests.
    """
    comment = session.get_one(Comment, key)
    comment.choices = None if choices is None else [list(roles) for roles in choices]
    comment.remote_id, comment.version, comment.shown = stored.id, version, stored.text
    comment.staff_text, comment.withheld = staff_text, None
    comment.posted_at = max(at, comment.attempted_at) if comment.attempted_at else at


def in_shadow(session: Session, key: str) -> None:
    """Record that the comment is not posted because a role of it is in shadow."""
    comment = session.get_one(Comment, key)
    if comment.remote_id is None:
        comment.withheld = Withheld.IN_SHADOW


def deleted(session: Session, key: str) -> None:
    """Record that a person deleted the comment: it is not posted again."""
    session.get_one(Comment, key).withheld = Withheld.DELETED


ANSWERS_FROM = "answers from"
"""Key of the newest review at the last `resume`: the person who resumed has seen the older answers."""

# With literals, for the databases use a partial index only where they see that its condition holds.
_ANSWER = text(f"strength >= {Strength.CONFIRMED:d} AND origin <> 'import'")

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the brakes: new comments an hour, and the share of corrections among the latest answers."""

    comments_per_hour: int = 1_000
    corrected_share: float = 0.7
    answers: int = 20


def pause(session: Session, reason: str, *, keep_answering: bool = False) -> None:
    """Pause all comments, on every server, until `resume`; or all but answers to what staff ask for.

    Where they are paused already, the time from which they are stays.
    """
    session.merge(SharedValue(name=PAUSE, value=reason, at=paused_since(session) or utcnow()))
    coordination.put(session, ANSWERING, "" if keep_answering else None)


def resume(session: Session) -> None:
    """Allow comments again, and count corrections only among later answers."""
    coordination.put(session, PAUSE, None)
    coordination.put(session, ANSWERING, None)
    coordination.put(session, ANSWERS_FROM, str(tickets.newest_review(session)))


def paused(session: Session) -> str | None:
    """Return why all comments are paused, None where they are not."""
    return coordination.value(session, PAUSE)


def paused_since(session: Session) -> datetime | None:
    """Return since when comments are paused, None where they are not."""
    row = session.get(SharedValue, PAUSE)
    return row.at if row else None


def silenced(session: Session, *, asked: bool) -> str | None:
    """Return why nothing may be said, None where it may; `asked`: whether staff asked for it."""
    reason = paused(session)
    answering = coordination.value(session, ANSWERING) is not None
    return None if asked and answering else reason


def brake(session: Session, limits: Limits, now: datetime) -> str | None:
    """Return why no new comment may be posted, None where it may. Pauses where staff disagree too often."""
    if reason := paused(session):
        return reason
    if reason := _disagreement(session, limits):
        pause(session, reason, keep_answering=True)
        return reason
    recent = select(func.count()).select_from(Comment).where(col(Comment.attempted_at) > now - HOUR)
    if session.exec(recent).one() >= limits.comments_per_hour:
        return f"{limits.comments_per_hour} comments within an hour"
    return None


def held_back(session: Session, key: str, limits: Limits) -> str | None:
    """Return why the ticket's new comment may not be posted, None where it may; record that the hour's are used up."""
    reason = brake(session, limits, utcnow())
    if reason is not None and paused(session) is None:
        session.get_one(Comment, key).withheld = Withheld.HOURLY_LIMIT
    return reason


def _disagreement(session: Session, limits: Limits) -> str | None:
    since = int(coordination.value(session, ANSWERS_FROM) or 0)
    counted = (_ANSWER, col(Review.via).not_in([Via.IMPORT, Via.MERGE]), col(Review.withdrawn).is_(None))
    latest = select(Review.strength).where(col(Review.id) > since, *counted)
    strengths = session.exec(latest.order_by(col(Review.id).desc()).limit(limits.answers)).all()
    corrected = sum(strength == Strength.CORRECTED for strength in strengths)
    if len(strengths) < limits.answers or corrected < limits.corrected_share * limits.answers:
        return None
    return f"staff corrected {corrected} of the latest {limits.answers} answers"
