"""Keep what was last seen of each ticket, and find what changed without a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlmodel import Session, col, select

from agent.domain import ticket_key
from agent.store.inbox import OPEN_EVENTS
from agent.store.tables import Inbox, Ticket
from connectors.events import Event, Message
from connectors.events import Ticket as RemoteTicket
from connectors.sights import Sight, changes, hash_of, sight


def unannounced(
    session: Session, source: str, tickets: Sequence[RemoteTicket], author_id: str, restored: bool = False
) -> list[Event]:
    """Return what changed on tickets that are known, and keep what is seen of them now.

    After the system was restored from a backup, it is older than what we saw: that nobody has changed.

    Tickets with open events are left for the next time: these events may tell the same.
    """
    remote = {ticket_key(source, ticket.id): ticket for ticket in tickets}
    busy = set(session.exec(select(Inbox.ticket_key).where(OPEN_EVENTS, col(Inbox.ticket_key).in_(remote))))
    known = select(Ticket).where(col(Ticket.key).in_(remote.keys() - busy)).order_by(Ticket.key).with_for_update()
    found: list[Event] = []
    for row in session.exec(known):
        if row.seen is None:
            row.seen = asdict(sight(remote[row.key], author_id))
            continue
        now, events = changes(Sight(**row.seen), remote[row.key], author_id)
        if now != Sight(**row.seen):
            row.seen = asdict(now)
        found += () if restored else events
    return found


def saw_message(session: Session, key: str, message: Message) -> None:
    """Record the text of a message that was heeded."""
    row = session.get(Ticket, key)
    if row is not None and row.seen is not None and message.id is not None:
        row.seen = row.seen | {"messages": row.seen["messages"] | {message.id: hash_of(message)}}


def saw(session: Session, key: str, ticket: RemoteTicket) -> None:
    """Record the state and the group in which a ticket was found."""
    row = session.get(Ticket, key)
    if row is not None and row.seen is not None:
        group = row.seen["group"] if ticket.group is None else ticket.group
        row.seen = row.seen | {"closed": ticket.closed, "group": group}


def rewritten(session: Session, key: str, ticket: RemoteTicket, before: RemoteTicket) -> None:
    """Record the words that we gave a ticket in the place of those `before`, unless people changed others as well."""
    row = session.get(Ticket, key)
    if row is not None and row.seen is not None and row.seen["text"] == sight(before, "").text:
        row.seen = row.seen | {"text": sight(ticket, "").text}
