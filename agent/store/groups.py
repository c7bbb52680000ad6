"""Which groups of a system tickets were seen in."""

from __future__ import annotations

from sqlmodel import Session, col, select

from agent.store.inbox import EVENT
from agent.store.tables import Inbox, Ticket

LATEST = 1_000
"""How many of the latest events are looked through: a ticket is moved after it was filed."""


def groups_seen(session: Session, source: str) -> frozenset[str]:
    """Return the groups that tickets of a connector were filed in, or in which its latest events show them."""
    filed = select(Ticket.group).where(col(Ticket.key).startswith(f"{source}:", autoescape=True)).distinct()
    events = select(Inbox.event).where(Inbox.source == source, Inbox.event != "")
    shown = session.exec(events.order_by(col(Inbox.seq).desc()).limit(LATEST))
    tickets = (EVENT.validate_json(event).ticket for event in shown)
    return frozenset(filter(None, (*session.exec(filed), *(ticket.group for ticket in tickets if ticket))))
