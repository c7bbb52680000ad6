"""The connector: pure functions for what comes in, thin calls for what goes out."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from connectors.base import LOOK_BACK, Capabilities, Change, Field, Markup, Past, Poll, StaffKnownBy, Stored
from connectors.deliveries import read_json
from connectors.errors import Ambiguous, Permanent, TicketNotFound, Transient
from connectors.events import Delivery, Event, Move, Ticket
from connectors.http import call, make_client
from connectors.proofs import StandardWebhooks
from connectors.request_tracker.mapping import events_of_webhook, ticket_url, to_ticket, what
from connectors.request_tracker.payload import TicketRow, Transaction
from connectors.request_tracker.reading import Reader
from connectors.request_tracker.settings import RequestTrackerSettings
from connectors.signing import verify
from connectors.tokens import Keeper

_LOCATION = re.compile(r"/transaction/(\d{1,18})$")
_TOKEN = re.compile(r"\d+-(\d+)-")
"""A token of RT begins with its own number and that of its user."""


class RequestTracker:
    """One Request Tracker 5 with our scrip, which posts to `/hooks/NAME`."""

    kind = "request-tracker"
    sender_retries = False  # a scrip runs inside somebody's request: it posts once

    def __init__(self, source: str, settings: RequestTrackerSettings, client: httpx.AsyncClient | None = None) -> None:
        self.source = source
        self.staff = None if settings.staff is None else frozenset(settings.staff)
        tags = {Field.TAG} if settings.tag_field is not None else set[Field]()
        self.capabilities = Capabilities(
            markup=Markup.PLAIN,
            changes=frozenset({Field.GROUP, Field.SUBJECT} | tags),
            staff_known_by=StaffKnownBy.MESSAGES,
            private_notes=True,
            privately="as a comment",
            tags=settings.tag_field is not None,
            tells_moves=True,
            comments_closed_without_reopening=True,
            polls=True,
            lists_history=True,
        )
        self.tokens: Keeper | None = None
        self._settings = settings
        self._client = client or make_client(
            settings.url,
            {"Authorization": f"token {settings.token}"},
            timeout_seconds=settings.timeout_seconds,
            ca_file=settings.ca_file,
        )
        self._reader = Reader(self._client)

    @property
    def author_id(self) -> str:
        """The name of our account, "" until it is known."""
        return self._settings.author_id or ""

    def learn_author(self, account_id: str) -> None:
        """Take a user for ours."""
        self._settings = replace(self._settings, author_id=account_id)

    def verify(self, delivery: Delivery) -> None:
        """Raise InvalidSignature unless our scrip signed the delivery."""
        verify((StandardWebhooks(),), delivery, self._settings.webhook_secrets, now=time.time())

    def parse(self, delivery: Delivery) -> Sequence[Event]:
        """Return what one transaction tells. Raises MalformedPayload."""
        return events_of_webhook(delivery.body, self.author_id, self._settings)

    def ticket_url(self, ticket_id: str) -> str:
        """Return the page of a ticket."""
        return ticket_url(ticket_id, self._settings)

    async def check(self) -> str:
        """Ask who we are and which queues we see. Raises Transient or Permanent."""
        try:
            await self._know_ourselves()
            queues = await self._reader.queues()
        except TicketNotFound as error:
            raise Permanent(f"{error}: no REST2 at {self._settings.url}") from error
        who = f", as {self.author_id}" if self.author_id else ""
        return f"Request Tracker at {self._settings.url}{who}, {len(queues)} queues"

    async def _know_ourselves(self) -> None:
        if not self.author_id and (found := _TOKEN.match(self._settings.token)):
            user = read_json((await self._reader.get(f"user/{found[1]}")).body)
            if isinstance(user, dict) and isinstance(user.get("Name"), str):
                self.learn_author(user["Name"])

    async def read_ticket(self, ticket_id: str) -> Ticket:
        """Fetch the ticket with all its messages, ours included. Raises TicketNotFound, Transient or Permanent."""
        return (await self._read(ticket_id))[0]

    async def _read(self, ticket_id: str) -> tuple[Ticket, list[Transaction]]:
        number = _number(ticket_id)
        row, last = await self._reader.ticket(number)
        history = await self._reader.history(row.id, last)
        texts = await self._reader.texts(row.id, history)
        staff = await self._reader.staff({each.Creator.id for each in history if each.id in texts})
        ticket = to_ticket(row, history, texts, staff, self._settings)
        if row.id != number:  # RT answers the ticket that goes on
            return replace(ticket, id=ticket_id, merged_into=ticket.id, closed=True, messages=()), []
        return ticket, history

    async def post_comment(self, ticket_id: str, text: str) -> Stored:
        """Post a comment, which requestors do not see. RT answers 400 where the ticket is not there, too."""
        await self._know_ourselves()
        path = f"REST/2.0/ticket/{_number(ticket_id)}/comment"
        body = {"Content": _storable(text), "ContentType": "text/plain"}
        answer = await call(self._client, "POST", path, json=body, accept={400})
        if answer.status == 400:
            await self._reader.ticket(_number(ticket_id))
            raise Permanent(f"POST {path}: answered 400: the account lacks the right CommentOnTicket")
        location = _LOCATION.search(answer.headers.get("location", ""))
        if location is None:
            raise Ambiguous(f"POST {path}: the answer names no comment")
        return Stored(location[1], None, self.author_id or None)

    async def edit_comment(self, ticket_id: str, comment_id: str, text: str) -> Stored:
        """Raise Permanent: a transaction cannot be changed."""
        raise Permanent(f"ticket {ticket_id}: Request Tracker cannot edit a comment")

    async def remove_comment(self, ticket_id: str, comment_id: str) -> None:
        """Raise Permanent: a transaction cannot be removed."""
        raise Permanent(f"ticket {ticket_id}: Request Tracker cannot remove a comment")

    async def change_ticket(self, ticket_id: str, change: Change) -> None:
        """Carry out a change, unless anything has happened to the ticket since it was looked at for this.

        RT answers 200 where it refuses; its words are not quoted, for they repeat those of the ticket.
        """
        row, last = await self._reader.ticket(_number(ticket_id))
        fields = self._fields(row, change)
        path = f"REST/2.0/ticket/{_number(ticket_id)}"
        answer = await call(self._client, "PUT", path, json=fields, headers={"If-Match": last}, accept={412})
        if answer.status == 412:
            raise Transient(f"PUT {path}: something has happened to the ticket just now")
        said = answer.body.decode("utf-8", "replace")
        if "Permission Denied" in said:
            raise Permanent(f"PUT {path}: our account lacks the right to change the {change.field}")
        if "does not exist" in said:
            raise Permanent(f"PUT {path}: Request Tracker shows our account no such {change.field}")

    def _fields(self, row: TicketRow, change: Change) -> dict[str, Any]:
        """Return what is to be changed. Raises Transient where a person has changed the same since."""
        now = row.Queue.Name if change.field is Field.GROUP else row.Subject or ""
        if change.field is Field.TAG:
            there = next((f.values for f in row.CustomFields if f.name == self._settings.tag_field), ())
            return {"CustomFields": {self._settings.tag_field or "": list(dict.fromkeys((*there, change.value)))}}
        if change.before is not None and now not in (change.before, change.value):
            raise Transient(f"ticket {row.id}: somebody has changed the {change.field} just now")
        return {"Queue": change.value} if change.field is Field.GROUP else {"Subject": _storable(change.value)}

    async def read_moves(self, ticket_id: str) -> Sequence[Move]:
        """Fetch the ticket's moves between queues. A queue that our account does not see has no name."""
        row, last = await self._reader.ticket(_number(ticket_id))
        history = await self._reader.history(row.id, last)
        moves = [each for each in history if what(each) == "Queue"]
        names = await self._reader.queues() if moves else {}
        return [
            Move(each.Created, names.get(each.OldValue or ""), names.get(each.NewValue or ""), each.Creator.id)
            for each in moves
            if each.Created is not None
        ]

    async def poll(self, watermark: str | None, look_back: timedelta = LOOK_BACK) -> Poll:
        """Find what changed since the last poll. The first poll (None) starts at the present."""
        from connectors.request_tracker import polling  # manifests' vocabulary: a server without RT does without it

        await self._know_ourselves()
        return await polling.poll(self._reader, self._read, watermark, self.author_id, self._settings)

    async def history(self, since: datetime, place: str | None, *, messages: bool) -> Past:
        """Read a part of the tickets that were closed since a time. Messages come by themselves."""
        from connectors.request_tracker import polling

        return await polling.history(self._reader, self._read, since, place, self._settings)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _storable(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _number(identifier: str) -> int:
    """Return a ticket's id as a number, because it becomes part of a path."""
    if not (identifier.isascii() and identifier.isdigit() and len(identifier) < 19):
        raise Permanent(f"{identifier!r} is not an id of this Request Tracker")
    return int(identifier)
