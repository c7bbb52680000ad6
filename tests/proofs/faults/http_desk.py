"""The connector of the misbehaving helpdesk: our real HTTP client and error tree, a body that needs no vendor."""

from __future__ import annotations

import json
from collections.abc import Sequence

from connectors.base import Change, Past, Poll, Stored
from connectors.errors import Ambiguous, InvalidSignature, MalformedPayload, Permanent
from connectors.events import AuthorKind, Delivery, Event, Kind, Message, Move, Ticket, Visibility
from connectors.http import call, make_client
from tests.desk import CAPABILITIES

SECRET = "open-sesame-of-the-stub"
SUBJECT = "VPN is down"
AUTHOR = "bot"


def event_of(kind: str, ticket: str, identifier: str, text: str) -> Event:
    """Return what a delivery, or a look, tells of one happening."""
    given = Message(identifier, "tech", text, None, AuthorKind.STAFF, Visibility.STAFF_ONLY)
    said = given if kind == Kind.COMMENTED else None
    return Event(Kind(kind), ticket, identifier, message=said, ticket=Ticket(ticket, SUBJECT, ""))


class HttpDesk:
    """Deliveries are `[kind, ticket, delivery id, text]`."""

    kind = source = "desk"
    capabilities = CAPABILITIES
    author_id = AUTHOR
    staff = None
    tokens = None
    sender_retries = False  # so that floods meet the disk, not the rate limit

    def __init__(self, url: str, timeout_seconds: float, blind: bool = False) -> None:
        self._client = make_client(url, {}, timeout_seconds=timeout_seconds)
        self._blind = blind

    def learn_author(self, account_id: str) -> None:
        """Nothing to learn: it is known."""

    def verify(self, delivery: Delivery) -> None:
        if delivery.segment != SECRET:
            raise InvalidSignature("wrong secret")

    def parse(self, delivery: Delivery) -> Sequence[Event]:
        try:
            return [event_of(*json.loads(delivery.body))]
        except ValueError:
            raise MalformedPayload("not an event") from None

    def ticket_url(self, ticket_id: str) -> str:
        return f"http://desk.example/{ticket_id}"

    async def check(self) -> str:
        return "there"

    async def read_ticket(self, ticket_id: str) -> Ticket:
        answer = await call(self._client, "GET", f"tickets/{ticket_id}")
        found = [] if self._blind else json.loads(answer.body)
        return Ticket(ticket_id, SUBJECT, "", messages=tuple(Message(c["id"], AUTHOR, c["text"]) for c in found))

    async def post_comment(self, ticket_id: str, text: str) -> Stored:
        answer = await call(self._client, "POST", f"tickets/{ticket_id}/comments", json={"text": text})
        try:
            identifier: str = json.loads(answer.body)["id"]
        except ValueError:
            raise Ambiguous("an unreadable answer") from None
        return Stored(identifier, text)

    async def edit_comment(self, ticket_id: str, comment_id: str, text: str) -> Stored:
        await call(self._client, "PATCH", f"tickets/{ticket_id}/comments/{comment_id}", json={"text": text})
        return Stored(comment_id, text)

    async def remove_comment(self, ticket_id: str, comment_id: str) -> None:
        await call(self._client, "DELETE", f"tickets/{ticket_id}/comments/{comment_id}", accept={404})

    async def poll(self, watermark: str | None, *_: object) -> Poll:
        answer = await call(self._client, "GET", "happenings", params={"since": watermark} if watermark else {})
        told = json.loads(answer.body)
        if watermark is None:
            return Poll([], str(told["count"]))
        events = [event_of(*happening) for happening in told["page"]]
        reached = int(watermark) + len(events)
        return Poll(events, str(reached), complete=reached >= told["count"])

    async def change_ticket(self, ticket_id: str, change: Change) -> None:
        raise Permanent("nothing of a ticket here can be changed")

    async def read_moves(self, ticket_id: str) -> Sequence[Move]:
        raise Permanent("no ticket here was ever moved")

    async def history(self, *_: object, **__: object) -> Past:
        raise Permanent("this desk has no past")

    async def aclose(self) -> None:
        await self._client.aclose()
