"""Which groups of a system tickets were seen in."""

from __future__ import annotations

from sqlmodel import Session, col, select

from agent.domain import Strength
from agent.store.inbox import EVENT
from agent.store.tables import Inbox, Review, Ticket

LATEST = 1_000
"""How many of the latest events are looked through: a ticket is moved after it was filed."""


def roles_of_closures(session: Session, source: str) -> frozenset[str]:
    """Return the roles in whose groups the latest closed tickets of a connector ended, those of its history too."""
    of_source = col(Review.ticket_key).startswith(f"{source}:", autoescape=True)
    closures = select(Review.roles).where(of_source, Review.strength == Strength.CLOSED)
    return frozenset(
        role for roles in session.exec(closures.order_by(col(Review.id).desc()).limit(LATEST)) for role in roles
    )


def groups_seen(session: Session, source: str) -> frozenset[str]:
    """Return the groups that tickets of a connector were filed in, or in which its latest events show them."""
    filed = select(Ticket.group).where(col(Ticket.key).startswith(f"{source}:", autoescape=True)).distinct()
    events = select(Inbox.event).where(Inbox.source == source, Inbox.event != "")
    shown = session.exec(events.order_by(col(Inbox.seq).desc()).limit(LATEST))
    tickets = (EVENT.validate_json(event).ticket for event in shown)
    return frozenset(filter(None, (*session.exec(filed), *(ticket.group for ticket in tickets if ticket))))
