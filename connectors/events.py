"""The values that connectors make of webhooks and API answers: plain, frozen, without any I/O.

"Unknown" is a value here: a field that a system does not send is None, never a guess. Identifiers are always strings,
times are always aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What happened to a ticket. A delivery about anything else yields no event at all."""

    CREATED = "created"
    COMMENTED = "commented"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One HTTP request to `/hooks/{source}`, before anything in it is trusted.

    `headers` has lower-case names; `secret` is what followed the source in the path ("" if nothing did).
    """

    headers: Mapping[str, str]
    body: bytes
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A message on a ticket. `author_id` is None where the system does not say, or the author has no account."""

    id: str | None
    author_id: str | None
    text: str
    created_at: datetime | None = None
    internal: bool | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as the system shows it now. `group` is the system's own name for who handles it (queue, team)."""

    id: str
    subject: str
    body: str
    group: str | None = None
    closed: bool = False
    created_at: datetime | None = None
    closed_at: datetime | None = None
    url: str | None = None
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one ticket.

    `delivery_id` names the happening, not the request: a repeated delivery and a poll that finds the same happening
    give the same id. Only with `kind` together it is unique, because one delivery can tell of two happenings (a reply
    that also closes). `ticket` is the ticket as the delivery showed it, where it did.
    """

    kind: Kind
    ticket_id: str
    delivery_id: str
    occurred_at: datetime | None = None
    comment: Comment | None = None
    ticket: Ticket | None = None
