"""Comments of ours that are to be removed, or that came with a merged ticket to another one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import Session, col, select

from agent.store.tables import Comment


def of_marks(session: Session, marks: Collection[str], but: str) -> Sequence[Comment]:
    """Return the rows of these marks that are of other tickets than `but`, and were not removed."""
    others = select(Comment).where(col(Comment.marker).in_(marks), Comment.ticket_key != but)
    return session.exec(others.where(col(Comment.removed_at).is_(None)).order_by(Comment.ticket_key)).all()


def hand_over(session: Session, old: str, new: str) -> None:
    """Make the comment of one ticket that of another, which has none: it is there, and keeps its mark."""
    if (without := session.get(Comment, new)) is not None:
        session.delete(without)
        session.flush()
    session.get_one(Comment, old).ticket_key = new


def removed(session: Session, key: str, at: datetime) -> None:
    """Record that our comment is gone for good; the attempt is settled."""
    comment = session.get_one(Comment, key)
    comment.removed_at, comment.attempted_at = at, comment.posted_at


def posted_since(session: Session, sources: Collection[str], since: datetime | None) -> list[str]:
    """Return the keys of tickets that may have a comment of ours, oldest first: attempted, and not removed."""
    there = select(Comment.ticket_key).where(col(Comment.attempted_at).is_not(None), col(Comment.removed_at).is_(None))
    theirs = or_(*(col(Comment.ticket_key).startswith(f"{source}:", autoescape=True) for source in sources))
    chosen = there.where(theirs).order_by(col(Comment.posted_at), Comment.ticket_key)
    late = or_(col(Comment.posted_at) >= since, col(Comment.attempted_at) >= since) if since else None
    return list(session.exec(chosen if late is None else chosen.where(late)))
