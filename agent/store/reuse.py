"""A restored system gives a ticket's number to another ticket: what is known of the old one moves out of its way."""

from __future__ import annotations

from sqlmodel import Session, col, select, update

from agent.domain import Strength, Via, moved_key
from agent.store import search
from agent.store.connector_data import KEYS
from agent.store.inbox import OPEN
from agent.store.tables import Inbox, Review, Ticket, utcnow

MOVED = tuple((table, key) for table, key in KEYS if table not in (Ticket, Inbox, Review))
"""What goes with a ticket as it is; so do its events, but for those still to be done, which tell of the new one."""


def take_number(session: Session, new: Ticket) -> Ticket:
    """Store a ticket whose number another one had, and return it. The old one keeps its text, reviews and comment.

    Its reviews are written anew, and the number gets a row without a role: the memory of every server follows both.
    """
    old = session.get_one(Ticket, new.key)
    key = moved_key(old.key, old.filed_at)
    session.add(Ticket(**old.model_dump(exclude={"key", "seen"}), key=key))
    for table, column in MOVED:
        session.execute(update(table).where(col(column) == old.key).values({column: key}))
    done = update(Inbox).where(col(Inbox.ticket_key) == old.key, col(Inbox.state).not_in(OPEN))
    session.execute(done.values(ticket_key=key))
    reviews = session.exec(select(Review).where(Review.ticket_key == old.key)).all()
    for review in reviews:
        session.add(Review(**review.model_dump(exclude={"id", "ticket_key"}), ticket_key=key))
    if reviews:
        nobody = Review(
            ticket_key=old.key,
            roles=[],
            strength=Strength.REOPENED,
            via=Via.REOPENING,
            origin=f"number of {key}",
            at=utcnow(),
        )
        session.add(nobody)
    session.flush()  # the new rows get new numbers while the old ones are there
    for review in reviews:
        session.delete(review)
    session.delete(old)
    session.flush()
    search.add(session, new)
    return new
