"""What was last seen of a ticket, and what another look shows that no event told: pure.

A message or a ticket that is edited in place, a note that is deleted, a move to another queue, a change on a board:
some systems tell nobody. Texts are kept as hashes only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connectors.events import Event, Kind, Message, Ticket

SAME_MOMENT = timedelta(seconds=1)
"""Systems round the times that they tell."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of a ticket. `messages`: hashes by id, none of ours; `changes`: how many events came of looking."""

    text: str
    group: str | None = None
    closed: bool = False
    merged_into: str | None = None
    messages: Mapping[str, str] = field(default_factory=dict)
    changes: int = 0
    created_at: str | None = None


def sight(ticket: Ticket, author_id: str, changes: int = 0) -> Sight:
    """Return what a look shows of a ticket; `author_id` is the account that we comment with."""
    theirs = [message for message in ticket.messages if message.author_id != author_id]
    return Sight(
        text=_hash(ticket.subject, ticket.body),
        group=ticket.group,
        closed=ticket.closed,
        merged_into=ticket.merged_into,
        messages={message.id: hash_of(message) for message in theirs if message.id is not None},
        changes=changes,
        created_at=ticket.created_at.isoformat() if ticket.created_at else None,
    )


def another(before: Sight, ticket: Ticket) -> bool:
    """Return whether this is another ticket under the same number: it was filed at another time."""
    if before.created_at is None or ticket.created_at is None:
        return False
    return abs(datetime.fromisoformat(before.created_at) - ticket.created_at) > SAME_MOMENT


def changes(before: Sight, ticket: Ticket, author_id: str) -> tuple[Sight, list[Event]]:
    """Return what is seen now, and an event for each change since: at most one of each kind for the ticket itself.

    Another ticket under the same number is no change of this one. A merged ticket's messages have moved, so none of
    them was deleted; the event is about the ticket that goes on.
    """
    if another(before, ticket):
        return before, []
    now = sight(ticket, author_id)
    group = before.group if now.group is None else now.group
    found = [*_messages(before, ticket), *_ticket(before, ticket, now)]
    numbered = [
        replace(event, delivery_id=f"{event.delivery_id}-{number}")
        for number, event in enumerate(found, before.changes + 1)
    ]
    created_at = before.created_at or now.created_at
    return replace(now, group=group, changes=before.changes + len(found), created_at=created_at), numbered


def vanished(before: Sight, ticket: Ticket) -> list[str]:
    """Return the ids of the messages that are no longer there; none of a merged ticket, whose messages have moved."""
    there = {message.id for message in ticket.messages}
    return [] if ticket.merged_into else [number for number in before.messages if number not in there]


def hash_of(message: Message) -> str:
    """Return a hash of what a message says and of who can read it."""
    return _hash(message.text, message.visibility)


def _messages(before: Sight, ticket: Ticket) -> Iterator[Event]:
    for message in ticket.messages:
        known = before.messages.get(message.id or "")
        if known is not None and known != hash_of(message):
            name = f"ticket-{ticket.id}-message-{message.id}-edited"
            yield Event(Kind.EDITED, ticket.id, name, message=message, ticket=ticket)
    for number in vanished(before, ticket):
        gone = Message(number, None, "")
        yield Event(Kind.EDITED, ticket.id, f"ticket-{ticket.id}-message-{number}-deleted", message=gone, ticket=ticket)


def _ticket(before: Sight, ticket: Ticket, now: Sight) -> Iterator[Event]:
    if now.merged_into is not None and now.merged_into != before.merged_into:
        yield Event(Kind.MERGED, now.merged_into, f"ticket-{ticket.id}-merged", merged=ticket.id)
    if now.text != before.text:
        yield Event(Kind.EDITED, ticket.id, f"ticket-{ticket.id}-edited", ticket=ticket)
    if now.group is not None and before.group is not None and now.group != before.group:
        yield Event(Kind.MOVED, ticket.id, f"ticket-{ticket.id}-moved", ticket=ticket)
    if now.closed != before.closed:
        kind = Kind.CLOSED if now.closed else Kind.REOPENED
        yield Event(kind, ticket.id, f"ticket-{ticket.id}-{kind}", ticket=ticket)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
