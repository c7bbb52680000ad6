"""What we know of our own comments: one row per ticket."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agent.store.tables import Comment


def want(session: Session, key: str, marker: str, text: str) -> Comment:
    """Write down what our comment on the ticket should say, and return all that is known of it."""
    comment = session.get(Comment, key) or Comment(ticket_key=key, marker=marker, text=text)
    comment.text = text
    session.add(comment)
    return comment


def get(session: Session, key: str) -> Comment | None:
    """Return what is known of our comment on the ticket."""
    return session.get(Comment, key)


def attempt(session: Session, key: str, at: datetime) -> None:
    """Note, before the request leaves, that from now on the comment may exist."""
    session.get_one(Comment, key).attempted_at = at


def refused(session: Session, key: str, at: datetime) -> None:
    """Note that the attempt made at `at` came to nothing for certain: the other side said no, or was never reached."""
    comment = session.get_one(Comment, key)
    if comment.attempted_at == at:  # a later attempt of another server may still be under way
        comment.attempted_at = None


def posted(session: Session, key: str, remote_id: str, at: datetime) -> None:
    """Note that the comment exists under this id and says what we wanted."""
    comment = session.get_one(Comment, key)
    comment.remote_id, comment.posted_at = remote_id, at
