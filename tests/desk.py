"""A ticketing system in memory: stateful, with the misbehaviour of real ones on request."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from connectors.base import LOOK_BACK, Capabilities, Change, Field, Markup, Past, Poll, StaffKnownBy, Stored
from connectors.errors import Ambiguous, ConnectorError, InvalidSignature, MalformedPayload, TicketNotFound
from connectors.events import AuthorKind, Delivery, Event, Kind, Message, Move, Ticket, Visibility
from connectors.note import Note, Section, SectionKind, Span
from connectors.tokens import Keeper

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
CAPABILITIES = Capabilities(
    markup=Markup.MARKDOWN,
    edits_comments=True,
    removes_comments=True,
    private_notes=True,
    comments_closed_without_reopening=True,
    polls=True,
    lists_history=True,
    changes=frozenset(Field),
    described_in=Markup.MARKDOWN,
    tags=True,
    staff_known_by=StaffKnownBy.MESSAGES,
)


def note(words: str) -> Note:
    """Return a note that says this."""
    return Note((Section(SectionKind.ROLE, ((Span(words),),)),))


@dataclass
class Desk:
    """Tickets and comments of one desk. `faults` holds errors that the next posts raise; "stored" ones store first."""

    kind: ClassVar[str] = "desk"
    source: str = "desk"
    capabilities: Capabilities = CAPABILITIES
    author_id: str = "bot"
    sender_retries: bool = True
    secret: str = "open sesame"
    people: Collection[str] = ("tech", "kim")
    """Authors whose messages are marked as written by staff."""
    staff: frozenset[str] | None = None
    tokens: Keeper | None = None
    tickets: dict[str, Ticket] = field(default_factory=dict)
    events: dict[tuple[str, str], Event] = field(default_factory=dict)
    faults: list[ConnectorError] = field(default_factory=list)
    reads: int = 0
    posts: int = 0
    edits: int = 0
    removals: int = 0
    acts: int = 0
    deaf: bool = False
    """Changes are answered, and nothing is changed."""
    moves: dict[str, list[Move]] = field(default_factory=dict)
    polls: int = 0
    _clock: int = 0

    def now(self) -> datetime:
        self._clock += 1
        return START + timedelta(seconds=self._clock)

    def create(self, subject: str, body: str = "", group: str | None = None, requester: str | None = None) -> Event:
        number = str(len(self.tickets) + 1)
        ticket = Ticket(number, subject, body, group=group, created_at=self.now(), requester=requester)
        self.tickets[number] = ticket
        return self._tell(Event(Kind.CREATED, number, f"ticket-{number}", ticket.created_at, ticket=ticket))

    def reply(self, number: str, text: str, author: str | None = "tech", internal: bool = True) -> Event:
        message = self._store(number, text, author, internal)
        return self._tell(Event(Kind.COMMENTED, number, f"comment-{message.id}", message.created_at, message=message))

    def close(self, number: str, group: str | None = None) -> Event:
        at = self.now()
        self.tickets[number] = replace(self.tickets[number], closed=True, closed_at=at, group=group)
        return self._tell(Event(Kind.CLOSED, number, f"closure-{number}-{at.timestamp()}", at))

    def edit(self, number: str, subject: str, body: str = "") -> Event:
        at = self.now()
        self.tickets[number] = replace(self.tickets[number], subject=subject, body=body)
        return self._tell(Event(Kind.EDITED, number, f"edit-{number}-{at.timestamp()}", at))

    def reopen(self, number: str) -> Event:
        at = self.now()
        self.tickets[number] = replace(self.tickets[number], closed=False, closed_at=None)
        return self._tell(Event(Kind.REOPENED, number, f"reopening-{number}-{at.timestamp()}", at))

    def rewrite(self, number: str, message_id: str | None, text: str, **changes: str) -> None:
        """Give a message another text, and what else is to change."""
        ticket = self.tickets[number]
        messages = tuple(replace(m, text=text, **changes) if m.id == message_id else m for m in ticket.messages)
        self.tickets[number] = replace(ticket, messages=messages)

    def change(self, number: str, **changes: Any) -> None:
        """Change a ticket without telling anybody."""
        self.tickets[number] = replace(self.tickets[number], **changes)

    def remove(self, number: str, message_id: str | None) -> None:
        """Delete a message without telling anybody."""
        self.change(number, messages=tuple(m for m in self.tickets[number].messages if m.id != message_id))

    def merge(self, number: str, into: str) -> None:
        """Merge a ticket into another as django-helpdesk does: all that was said moves, and nobody is told."""
        moved = self.tickets[number].messages
        self.change(number, closed=True, merged_into=into, messages=())
        there = sorted((*self.tickets[into].messages, *moved), key=lambda message: message.created_at or START)
        self.change(into, messages=tuple(there))

    def comments(self, number: str) -> list[Message]:
        return [c for c in self.tickets[number].messages if c.author_id == self.author_id]

    def _tell(self, event: Event) -> Event:
        self.events[event.kind, event.delivery_id] = event
        return event

    def _store(self, number: str, text: str, author: str | None, internal: bool) -> Message:
        ticket = self.tickets[number]
        visibility = Visibility.STAFF_ONLY if internal else Visibility.PUBLIC
        identifier = f"{number}.{len(ticket.messages) + 1}"
        kind = AuthorKind.STAFF if author in self.people else AuthorKind.UNKNOWN
        message = Message(identifier, author, text, self.now(), kind, visibility)
        self.tickets[number] = replace(ticket, messages=(*ticket.messages, message))
        return message

    def learn_author(self, account_id: str) -> None:
        self.author_id = account_id

    # What the agent sees of it: connectors.base.Connector

    def verify(self, delivery: Delivery) -> None:
        if delivery.segment != self.secret:
            raise InvalidSignature("wrong secret")

    def parse(self, delivery: Delivery) -> Sequence[Event]:
        try:
            return [self.events[kind, identifier] for kind, identifier in json.loads(delivery.body)]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise MalformedPayload("not a list of kind and id of events of this desk") from None

    def ticket_url(self, ticket_id: str) -> str:
        return f"http://desk.example/{ticket_id}"

    async def check(self) -> str:
        return f"{len(self.tickets)} tickets"

    async def read_ticket(self, ticket_id: str) -> Ticket:
        self.reads += 1
        if ticket_id not in self.tickets:
            raise TicketNotFound(f"no ticket {ticket_id}")
        return self.tickets[ticket_id]

    async def post_comment(self, ticket_id: str, text: str) -> Stored:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and not isinstance(fault, Ambiguous):
            raise fault
        self.posts += 1
        stored = self._store(ticket_id, text, self.author_id, internal=True)
        if fault is not None:
            raise fault
        assert stored.id is not None
        return Stored(stored.id, stored.text)

    async def edit_comment(self, ticket_id: str, comment_id: str, text: str) -> Stored:
        self.edits += 1
        self.rewrite(ticket_id, comment_id, text)
        return Stored(comment_id, text)

    async def remove_comment(self, ticket_id: str, comment_id: str) -> None:
        self.removals += 1
        self.remove(ticket_id, comment_id)

    async def change_ticket(self, ticket_id: str, change: Change) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and not isinstance(fault, Ambiguous):
            raise fault
        self.acts += 1
        if not self.deaf:
            self.carry_out(ticket_id, change.field, change.value, self.author_id)
        if fault is not None:
            raise fault

    def carry_out(self, number: str, what: Field, value: str, author: str) -> None:
        """Change a ticket; whoever moves one is in the history."""
        ticket = self.tickets[number]
        match what:
            case Field.GROUP:
                self.moves.setdefault(number, []).append(Move(self.now(), ticket.group, value, author))
                self.change(number, group=value)
            case Field.SUBJECT:
                self.change(number, subject=value)
            case Field.DESCRIPTION:
                self.change(number, body=value)
            case Field.TAG:
                self.change(number, tags=tuple(dict.fromkeys((*(ticket.tags or ()), value))))

    async def read_moves(self, ticket_id: str) -> Sequence[Move]:
        return self.moves.get(ticket_id, [])

    async def poll(self, watermark: str | None, look_back: timedelta = LOOK_BACK) -> Poll:
        self.polls += 1
        return Poll([], watermark or "0", tickets=tuple(self.tickets.values()))

    async def history(self, since: datetime, place: str | None, *, messages: bool) -> Past:
        """Walk through all tickets, two at a time; the place is how many were seen."""
        first = int(place or "0")
        seen = sorted(self.tickets, key=int)[first : first + 2]
        closed = [self.tickets[number] for number in seen if self.tickets[number].closed_at]
        ended = [
            Event(Kind.CLOSED, t.id, f"closure-{t.id}-{t.closed_at.timestamp()}", t.closed_at, ticket=t)
            for t in closed
            if t.closed_at and t.closed_at >= since
        ]
        done = first + len(seen)
        share = done / max(len(self.tickets), 1)
        return Past(ended, str(done), complete=done == len(self.tickets), looked=len(seen), share=share)

    async def aclose(self) -> None:
        """Nothing to close."""
