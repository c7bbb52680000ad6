"""What we know of our own comments: one row per ticket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from agent.store.tables import Comment
from connectors.base import Stored

JUST_AFTER = timedelta(microseconds=1)


def want(session: Session, key: str, mark: str, text: Callable[[str], str]) -> Comment:
    """Write down what our comment on the ticket should say, and return all that is known of it.

    `text` makes it for a mark: the one that the comment was given first, whatever the ticket is called now.
    """
    comment = session.get(Comment, key) or Comment(ticket_key=key, marker=mark, text="")
    comment.text = text(comment.marker)
    session.add(comment)
    return comment


def get(session: Session, key: str) -> Comment | None:
    """Return what is known of our comment on the ticket."""
    return session.get(Comment, key)


def attempt(session: Session, key: str, at: datetime) -> datetime:
    """Note, before the request leaves, that the comment may exist or change from now on; return the attempt's time.

    It is later than the last outcome even where the clock was turned back: that is what tells it from a finished one.
    """
    comment = session.get_one(Comment, key)
    comment.attempted_at = max(at, comment.posted_at + JUST_AFTER) if comment.posted_at else at
    return comment.attempted_at


def unsettled(comment: Comment) -> datetime | None:
    """Return when the attempt was made of which no outcome is known, None where there is no such one."""
    tried, posted = comment.attempted_at, comment.posted_at
    return tried if tried is not None and (posted is None or posted < tried) else None


def refused(session: Session, key: str, at: datetime) -> None:
    """Note that the attempt made at `at` came to nothing for certain: the other side said no, or was never reached."""
    comment = session.get_one(Comment, key)
    if comment.attempted_at == at:  # a later attempt of another server may still be under way
        comment.attempted_at = comment.posted_at


def posted(session: Session, key: str, stored: Stored, at: datetime, version: str, staff_text: str | None) -> None:
    """Note which comment stands on the ticket, in what version and form, and the words of staff that it holds."""
    comment = session.get_one(Comment, key)
    comment.remote_id, comment.version, comment.shown = stored.id, version, stored.text
    comment.staff_text = staff_text
    comment.posted_at = max(at, comment.attempted_at) if comment.attempted_at else at
