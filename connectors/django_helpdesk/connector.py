"""The connector: pure functions for what comes in, thin calls for what goes out.

This is the file to copy for another system, with `settings`, `payload` (its JSON) and `mapping` (its JSON in our terms)
beside it. Whatever is odd about this one has a file of its own: see the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx

from connectors.base import LOOK_BACK, Capabilities, Change, Field, Markup, Past, Poll, StaffKnownBy, Stored
from connectors.deliveries import decode, verify_shared_secret, without_attachments
from connectors.django_helpdesk import polling
from connectors.django_helpdesk.advice import advice
from connectors.django_helpdesk.mapping import events_of_webhook, files_of, ticket_url, to_ticket
from connectors.django_helpdesk.paging import FOLLOW_UPS, TICKETS, Reader
from connectors.django_helpdesk.payload import Created, Edited
from connectors.django_helpdesk.refusals import refusal
from connectors.django_helpdesk.settings import DjangoHelpdeskSettings
from connectors.django_helpdesk.templates import defuse, escape_template, storable
from connectors.errors import Ambiguous, MalformedPayload, Permanent, TicketNotFound
from connectors.events import Delivery, Event, Move, Ticket
from connectors.http import call, make_client
from connectors.tokens import Keeper


class DjangoHelpdesk:
    """One django-helpdesk. Both of its webhook lists get the same URL, `/hooks/NAME/SECRET`."""

    kind = "django-helpdesk"
    capabilities = Capabilities(
        markup=Markup.MARKDOWN,
        edits_comments=True,
        removes_comments=True,
        changes=frozenset({Field.GROUP, Field.SUBJECT, Field.DESCRIPTION}),
        described_in=Markup.MARKDOWN,
        private_notes=True,
        privately='with "public" switched off',
        staff_known_by=StaffKnownBy.ACCOUNTS,  # the API tells a user's number, not who is staff
        comments_closed_without_reopening=True,
        polls=True,
        lists_history=True,
    )
    sender_retries = False  # helpdesk/webhooks.py posts once and does not look at the status

    def __init__(self, source: str, settings: DjangoHelpdeskSettings, client: httpx.AsyncClient | None = None) -> None:
        self.source = source
        self.staff = None if settings.staff is None else frozenset(settings.staff)
        self.tokens: Keeper | None = None
        self._settings = settings
        self._client = client or make_client(
            settings.url,
            {"Authorization": f"Token {settings.token}"},
            timeout_seconds=settings.timeout_seconds,
            ca_file=settings.ca_file,
        )
        self._reader = Reader(self._client, settings)

    @property
    def author_id(self) -> str:
        """The user id of our account, "" until it is known."""
        return self._settings.author_id or ""

    def learn_author(self, account_id: str) -> None:
        """Take a user for ours: the helpdesk stored a comment of ours for it."""
        self._settings = replace(self._settings, author_id=account_id)

    def verify(self, delivery: Delivery) -> None:
        """Raise InvalidSignature unless the path holds a secret: the helpdesk signs nothing."""
        verify_shared_secret(delivery.segment.removesuffix("/"), self._settings.webhook_secrets)

    def parse(self, delivery: Delivery) -> Sequence[Event]:
        """Return a creation, or what a follow-up says and does to its ticket. Raises MalformedPayload."""
        return events_of_webhook(delivery.body, self._settings)

    def ticket_url(self, ticket_id: str) -> str:
        """Return the staff page of a ticket."""
        return ticket_url(ticket_id, self._settings)

    async def check(self) -> str:
        """Read the newest entries; return what was reached and what is set up badly. Raises Transient or Permanent."""
        try:
            tickets = await self._reader.open_page("last", 1)
            recent = (await self._reader.newest_follow_ups()).results
        except TicketNotFound as error:
            raise Permanent(
                f"{error}: no helpdesk API below {self._settings.url}: `url` is what a browser shows before /tickets/"
            ) from error
        reached = f"django-helpdesk at {self._settings.url}, {tickets.count} open tickets"
        return "; ".join([reached, *advice(tickets.results, recent, self._settings)])

    async def read_ticket(self, ticket_id: str) -> Ticket:
        """Fetch the ticket with all its messages, ours included. Raises TicketNotFound, Transient or Permanent."""
        return to_ticket(await self._reader.ticket(_number(ticket_id)), self._settings)

    async def post_comment(self, ticket_id: str, text: str) -> Stored:
        """Post a comment that only staff see.

        The body never has a `title`: the helpdesk would rename the ticket. A 5xx is Ambiguous, because the helpdesk
        answers 500 after storing the comment whenever its own webhook is refused.
        """
        number = _number(ticket_id)
        body = {"ticket": number, "comment": escape_template(defuse(text)), "public": False}
        response = await call(self._client, "POST", FOLLOW_UPS, json=body, accept={400})
        if response.status == 400:
            raise refusal(response, FOLLOW_UPS, ticket_id)
        try:
            comment = decode(Created, response.body)
        except MalformedPayload as error:
            raise Ambiguous(f"POST {FOLLOW_UPS}: the answer names no comment: {error}") from None
        return Stored(str(comment.id), comment.comment, None if comment.user is None else str(comment.user))

    async def edit_comment(self, ticket_id: str, comment_id: str, text: str) -> Stored:
        """Replace the text of a comment. The helpdesk stores an edit as it is, without rendering it as a template."""
        path = f"{FOLLOW_UPS}{_number(comment_id)}/"
        response = await call(self._client, "PATCH", path, json={"comment": defuse(text), "public": False})
        try:
            return Stored(comment_id, decode(Edited, response.body).comment)
        except MalformedPayload:
            return Stored(comment_id)  # it was carried out; the next look shows the text

    async def remove_comment(self, ticket_id: str, comment_id: str) -> None:
        """Delete a comment. The helpdesk tells nobody."""
        await call(self._client, "DELETE", f"{FOLLOW_UPS}{_number(comment_id)}/", accept={404})

    async def change_ticket(self, ticket_id: str, change: Change) -> None:
        """Move the ticket to another queue, or change its words. The helpdesk tells nobody, and keeps no history."""
        path, value = f"{TICKETS}{_number(ticket_id)}/", change.value
        body: dict[str, int | str] = {"title": storable(value)}
        if change.field is Field.GROUP:
            body = {"queue": self._queue(value)}
        elif change.field is Field.DESCRIPTION:
            files = files_of(await self._reader.ticket(_number(ticket_id)))
            body = {"description": storable(without_attachments(value, files))}
        response = await call(self._client, "PATCH", path, json=body, accept={400})
        if response.status == 400:
            raise Permanent(f"PATCH {path}: answered 400: the helpdesk does not take this {change.field}")

    def _queue(self, slug: str) -> int:
        """Return the number of a queue. Raises Permanent where `queues` does not name it."""
        numbers = [number for number, name in self._settings.queues.items() if name == slug]
        if not numbers:
            raise Permanent(f"the number of queue {slug} is not known: name it in connectors.{self.source}.queues")
        return int(numbers[0])

    async def read_moves(self, ticket_id: str) -> Sequence[Move]:
        """Raise Permanent: the API shows no history."""
        raise Permanent(f"ticket {ticket_id}: django-helpdesk does not tell its moves")

    async def poll(self, watermark: str | None, look_back: timedelta = LOOK_BACK) -> Poll:
        """Find what sent no webhook since the last poll. The first poll (None) starts at the present."""
        if watermark is None:
            newest = await self._reader.newest_follow_ups()
            return polling.start(newest.results, await self._reader.open_tickets())
        known, newest = polling.read_watermark(watermark), await self._reader.newest_follow_ups()
        since = polling.before_reuse(known, newest.results)
        followups, complete = await self._reader.follow_ups_since(since.followup, newest)
        look = polling.Look(followups, await self._reader.open_tickets(), complete=complete)
        look, numbers = polling.bounded(since, look, self._settings)
        look = replace(look, read=await self._reader.tickets(numbers))
        found = replace(polling.conclude(since, look, self._settings), restored=since != known)
        if not found.complete:
            return found
        horizon = datetime.now(UTC) - look_back
        closed = await self._reader.newest_tickets(horizon)
        return replace(found, tickets=polling.recent((*closed, *look.open, *look.read), horizon, self._settings))

    async def history(self, since: datetime, place: str | None, *, messages: bool) -> Past:
        """Read a page of all tickets, the newest first, for those that were closed since a time."""
        from connectors.django_helpdesk import past  # read once in an installation's life

        return await past.part(self._reader, self._settings, since, place)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _number(identifier: str) -> int:
    """Return a ticket or comment id as a number, because it becomes part of a path."""
    if not (identifier.isascii() and identifier.isdigit() and len(identifier) < 20):
        raise Permanent(f"{identifier!r} is not an id of this helpdesk")
    return int(identifier)
