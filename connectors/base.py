"""The protocol of a connector. A new system is a short package that implements it, and a line in `registry.py`.

An installation may connect to several systems of one kind, so each connector has a name of its own, its `source`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from connectors.events import Delivery, Event, Move, Ticket
from connectors.tokens import Keeper

LOOK_BACK = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Poll:
    """The result of one poll: events whose webhook may never come, and the watermark from which the next poll starts.

    `complete` is False if there was more than one poll may request: the next one should follow soon. `tickets` are some
    as they are now, with all their messages: what was edited, moved or deleted without a word shows in them.
    `restored`: numbers that were known are used again, as after the system was restored from a backup.
    """

    events: Sequence[Event]
    watermark: str
    complete: bool = True
    tickets: Sequence[Ticket] = ()
    restored: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """A part of a system's history: how closed tickets ended, and the place from which the next part is read.

    Each event is the one that a webhook or a poll would tell of the closure, with the ticket as it is now. `looked`
    counts the tickets that were looked at for it, `refused` those that could not be read; `share` is how much of the
    way lies behind, from 0 to 1.
    """

    closures: Sequence[Event]
    place: str
    complete: bool
    looked: int
    share: float
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Stored:
    """A comment of ours as the system stores it; `text` is None if its response does not show it.

    The text has the form in which `read_ticket` returns it, which may differ from the one that was sent. `author_id` is
    the account that it was stored for, None if the response does not show it: so we learn who we are.
    """

    id: str
    text: str | None = None
    author_id: str | None = None


class Field(StrEnum):
    """What of a ticket Rolecall can change."""

    GROUP = "group"
    """Who handles it, by the name that `Ticket.group` has."""
    TAG = "tag"
    """A tag or label is added; those that are there stay."""
    SUBJECT = "subject"
    DESCRIPTION = "description"
    """The text that it was opened with, as `Ticket.body` has it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one ticket. `before`: what the field held when it was decided on, None for a tag.

    Where the system can, the change is refused if the field holds something else by then.
    """

    field: Field
    value: str
    before: str | None = None


class Markup(StrEnum):
    """The language in which a system expects and shows the text of a comment."""

    MARKDOWN = "markdown"
    HTML = "html"
    PLAIN = "plain"
    TEXTILE = "textile"
    ADF = "adf"
    """Atlassian Document Format, a tree in JSON."""


PRIVATELY = "with a private note"


class StaffKnownBy(StrEnum):
    """How it is known that the author of a message is staff: only then a command counts."""

    MESSAGES = "messages"
    """Every message says whether staff or the requester wrote it."""
    ACCOUNTS = "accounts"
    """Staff are the accounts in `staff`, and those that a ticket was ever assigned to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a kind of system supports; False if that is unknown."""

    markup: Markup
    edits_comments: bool = False
    removes_comments: bool = False
    changes: frozenset[Field] = frozenset()
    """What `change_ticket` can change."""
    described_in: Markup | None = None
    """The markup of a ticket's own text; known where `changes` has the description, which is then read as it is stored.
    """
    staff_known_by: StaffKnownBy = StaffKnownBy.ACCOUNTS
    private_notes: bool = False
    """A comment can be hidden from the requester."""
    privately: str = PRIVATELY
    """How staff hide a comment from the requester, in the system's own words."""
    tags: bool = False
    """Tickets show their tags."""
    tells_moves: bool = False
    """`read_moves` tells when a ticket went from one group to another."""
    comments_closed_without_reopening: bool = False
    polls: bool = False
    """`poll` finds what sent no webhook."""
    lists_history: bool = False
    """All tickets, closed ones included, can be listed."""

    @property
    def notes_on_closed(self) -> bool:
        """Whether a closed ticket can be given a note that staff alone read, and stays closed."""
        return self.comments_closed_without_reopening and self.private_notes


class Connector(Protocol):
    """One ticketing system: pure functions for what comes in (`verify`, `parse`), thin calls for what goes out."""

    kind: str
    """What kind of system it is: its key in `registry.py` and `kind` in the settings."""

    capabilities: Capabilities
    """What this kind of system lets us do."""

    source: str
    """The connector's name in this installation: in the settings, in `/hooks/{source}` and in ticket keys."""

    @property
    def author_id(self) -> str:
        """The system's id of the account that we comment with; "" until the answer to our first comment names it."""

    staff: frozenset[str] | None
    """The ids of accounts that the operator calls staff; None where nobody was named."""

    sender_retries: bool
    """Whether the system sends a webhook again when it is answered 429 or 503; only then it is ever told to slow down.
    """

    tokens: Keeper | None
    """Who keeps the tokens that the system replaces; None where it replaces none, or nobody keeps them."""

    def learn_author(self, account_id: str) -> None:
        """Take an account for the one that we comment with: what it does tells nothing, from now on."""

    def verify(self, delivery: Delivery) -> None:
        """Raise InvalidSignature unless the delivery is authentic. Looks at bytes only, in constant time."""

    def parse(self, delivery: Delivery) -> Sequence[Event]:
        """Turn a verified delivery into events; [] if it concerns nothing that Rolecall handles.

        Raises MalformedPayload, and Challenged where the system waits for an answer. Our own comments and changes yield
        no event.
        """

    def ticket_url(self, ticket_id: str) -> str:
        """Return the address at which staff see this ticket."""

    async def check(self) -> str:
        """Connect to the system and return one line about it. Raises Transient or Permanent."""

    async def read_ticket(self, ticket_id: str) -> Ticket:
        """Fetch the ticket with all its messages, oldest first. Raises TicketNotFound, Transient or Permanent."""

    async def post_comment(self, ticket_id: str, text: str) -> Stored:
        """Post a staff-only comment in the system's markup. Raises Ambiguous where it may have been stored."""

    async def edit_comment(self, ticket_id: str, comment_id: str, text: str) -> Stored:
        """Replace the text of a comment of ours. Safe to repeat. Only called where `capabilities.edits_comments`."""

    async def remove_comment(self, ticket_id: str, comment_id: str) -> None:
        """Remove a comment of ours; one that is gone already is no error. Only called where `removes_comments`."""

    async def change_ticket(self, ticket_id: str, change: Change) -> None:
        """Carry out a change; harmless where it is so already. Only called where `capabilities.changes` has its field.

        Raises Ambiguous where it may have been carried out, and Permanent for a group that is not there.
        """

    async def read_moves(self, ticket_id: str) -> Sequence[Move]:
        """Fetch the ticket's moves between groups, oldest first. Only called where `capabilities.tells_moves`."""

    async def poll(self, watermark: str | None, look_back: timedelta = LOOK_BACK) -> Poll:
        """Find events since `watermark` that may have sent no webhook. Only called where `capabilities.polls`.

        The first poll (None) starts at the present and returns no events: history must not flood the agent. One poll
        makes a bounded number of requests, however much happened. Where the system tells of no edit, tickets about
        which something was said within `look_back` are read again.
        """

    async def history(self, since: datetime, place: str | None, *, messages: bool) -> Past:
        """Read a part of the tickets that were closed since a time. Only called where `capabilities.lists_history`.

        The first part has no `place`, each other one that of the part before; a part may be read again. One part makes
        a bounded number of requests. Whatever is filed, changed or deleted meanwhile, no ticket is left out that was
        closed before the first part. Messages are read only where they are asked for, or come by themselves.
        """

    async def aclose(self) -> None:
        """Close the connections."""
