"""Take back what was said about a ticket's role: the last answer, or all that one message said."""

from __future__ import annotations

from sqlmodel import Session, col, select

from agent.domain import Strength, Via
from agent.store.tables import Review
from agent.store.tickets import STANDING, same_occasion


def withdraw(session: Session, undo: Review) -> bool:
    """Take back the ticket's last answer in words; return False where there is none.

    `undo` is the row that says so: a repetition finds it there, and what follows the reviews finds it as a new one.
    """
    if session.exec(same_occasion(undo)).first() is not None:
        return True
    if (last := last_answer(session, undo.ticket_key)) is None:
        return False
    last.withdrawn = undo.withdrawn = undo.origin
    session.add(undo)
    return True


def last_answer(session: Session, key: str) -> Review | None:
    """Return the ticket's last answer in words that stands, None where there is none."""
    in_words = (col(Review.strength) >= Strength.CONFIRMED, col(Review.via) != Via.IMPORT, STANDING)
    answers = select(Review).where(Review.ticket_key == key, *in_words)
    return session.exec(answers.order_by(col(Review.at).desc(), col(Review.id).desc())).first()


def said(session: Session, key: str, message_id: str | None) -> bool:
    """Return whether a message on the ticket ever said anything of its role."""
    rows = select(Review.id).where(Review.ticket_key == key, Review.message_id == message_id)
    return message_id is not None and session.exec(rows).first() is not None


def withdraw_message(session: Session, undo: Review) -> bool:
    """Take back what a message, that of `undo`, said of the ticket's role; return False where it had said nothing.

    What the message itself had taken back stands again.
    """
    if session.exec(same_occasion(undo)).first() is not None:
        return True
    ours = Review.ticket_key == undo.ticket_key, Review.message_id == undo.message_id
    rows = session.exec(select(Review).where(*ours)).all()
    standing = [row for row in rows if row.withdrawn is None]
    undone = [row.origin for row in rows if row.via == Via.UNDO]
    elsewhere = col(Review.message_id).is_distinct_from(undo.message_id)
    again = select(Review).where(Review.ticket_key == undo.ticket_key, col(Review.withdrawn).in_(undone), elsewhere)
    freed = session.exec(again).all()
    for row in standing:
        row.withdrawn = undo.origin
    for row in freed:
        row.withdrawn = None
    if standing or freed:
        undo.withdrawn = undo.origin
        session.add(undo)
    return bool(standing or freed)
