"""The values that connectors make of webhooks and API responses: plain and frozen, without I/O.

"Unknown" is a value here: a field that a system does not send is None, never a guess. Identifiers are always strings,
times are always aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What happened to a ticket. A delivery about anything else yields no event at all."""

    CREATED = "created"
    COMMENTED = "commented"
    EDITED = "edited"
    """The subject or text of the ticket was edited, or a message on it: one without text was deleted."""
    MOVED = "moved"
    """The ticket went to another group."""
    MERGED = "merged"
    """Another ticket was merged into this one: all that was said on it has moved here."""
    CLOSED = "closed"
    REOPENED = "reopened"
    RESUMED = "resumed"
    """Comments were resumed after a pause that the ticket had events in. No system tells this: it is ours."""
    ANSWERED = "answered"
    """Somebody gave the role on a page, or took it back. No system tells this: it is ours."""


class AuthorKind(StrEnum):
    """Who wrote a message, as far as the system tells."""

    REQUESTER = "requester"
    STAFF = "staff"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class Visibility(StrEnum):
    """Who can read a message, as far as the system tells."""

    PUBLIC = "public"
    STAFF_ONLY = "staff_only"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One HTTP request to `/hooks/{source}`, before anything in it is trusted.

    `headers` has lower-case names; `segment` is what followed the source in the path, decoded ("" if nothing did).
    `url` is the address as the sender was told it ([server] public_url), without that as the proxy in front passes it
    on; `query` holds its parameters, decoded.
    """

    headers: Mapping[str, str]
    body: bytes
    segment: str = ""
    method: str = "POST"
    url: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A message on a ticket. `author_id` is None where the system does not say, or the author has no account.

    `author_name` is what people call the author, where the system tells that beside the account.
    """

    id: str | None
    author_id: str | None
    text: str
    created_at: datetime | None = None
    author_kind: AuthorKind = AuthorKind.UNKNOWN
    visibility: Visibility = Visibility.UNKNOWN
    author_name: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A ticket went from one group to another, by the names that `Ticket.group` has; None where a name is not known."""

    at: datetime
    before: str | None
    after: str | None
    author_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as the system shows it now; its body ends in the names of its files, as deliveries.py puts them.

    `group` is the system's own name for who handles it (queue, team); `requester` and `assignee` are its ids of people.
    None means unknown; an empty value is known: `tags=()` means that the ticket has no tags.
    """

    id: str
    subject: str
    body: str
    group: str | None = None
    closed: bool = False
    created_at: datetime | None = None
    closed_at: datetime | None = None
    url: str | None = None
    messages: tuple[Message, ...] = ()
    requester: str | None = None
    assignee: str | None = None
    tags: tuple[str, ...] | None = None
    priority: str | None = None
    language: str | None = None
    merged_into: str | None = None
    """Id of the ticket that goes on in this one's place."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one ticket.

    `delivery_id` identifies what happened, not the request: a repeated delivery and a poll that finds the same event
    give the same id. It is unique only together with `kind`, because one delivery can report two events (a reply that
    also closes). `ticket` is the ticket as the delivery showed it, if it did.
    """

    kind: Kind
    ticket_id: str
    delivery_id: str
    occurred_at: datetime | None = None
    message: Message | None = None
    ticket: Ticket | None = None
    merged: str | None = None
    """Id of the ticket that was merged into this one."""
