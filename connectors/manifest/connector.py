"""The connector of any system that a manifest describes: pure functions for what comes in, thin calls for the rest."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.base import LOOK_BACK, Change, Markup, Past, Poll, Stored
from connectors.deliveries import read_json
from connectors.errors import Ambiguous, MalformedPayload, Permanent, TicketNotFound
from connectors.events import Delivery, Event, Message, Move, Ticket
from connectors.manifest import acting, past, polling, rounds
from connectors.manifest.access import Access
from connectors.manifest.lists import read_comments, read_whole
from connectors.manifest.looking import look
from connectors.manifest.mapping import MARK, sought, to_message, to_ticket
from connectors.manifest.model import Manifest, Write
from connectors.manifest.receiving import read_delivery
from connectors.manifest.system import capabilities, system
from connectors.manifest.values import ISO, name_of, text_of, written
from connectors.signing import verify
from connectors.tokens import Keeper


class ManifestConnector:
    """One system of the kind that a manifest describes. `settings` is of the type that `settings_type` makes of it."""

    def __init__(
        self, kind: str, source: str, manifest: Manifest, settings: Any, client: httpx.AsyncClient | None = None
    ) -> None:
        self.kind, self.source = kind, source
        self.capabilities = capabilities(manifest)
        self.staff = None if settings.staff is None else frozenset(settings.staff)
        self.sender_retries = manifest.sender_retries
        self._manifest, self.system = manifest, system(kind, manifest, settings)
        self._author_id: str | None = settings.author_id
        self._access = Access(source, self.system, client)

    @property
    def tokens(self) -> Keeper | None:
        """Who keeps the tokens that the system replaces."""
        return self._access.tokens

    @tokens.setter
    def tokens(self, keeper: Keeper | None) -> None:
        self._access.tokens = keeper

    @property
    def author_id(self) -> str:
        """The id of our account, "" until it is known."""
        return self._author_id or ""

    def learn_author(self, account_id: str) -> None:
        """Take an account for ours: the system stored a comment of ours for it, or says so."""
        self._author_id = account_id

    def verify(self, delivery: Delivery) -> None:
        """Raise InvalidSignature unless the delivery proves where it comes from."""
        receive = self._manifest.receive
        secrets = self.system.values.get("webhook_secrets", ())
        verify(receive.verify if receive else (), delivery, secrets, now=time.time())

    def parse(self, delivery: Delivery) -> Sequence[Event]:
        """Return the events that the manifest's rules find. Raises MalformedPayload."""
        return read_delivery(delivery, self.system, self.author_id).events

    def ticket_url(self, ticket_id: str) -> str:
        """Return the page of a ticket."""
        return self.system.ticket_url(ticket_id)

    async def check(self) -> str:
        """Ask who we are, or for the newest tickets. Raises Transient or Permanent."""
        reached = f"{self._manifest.name} at {self.system.values['url']}"
        if self._manifest.check is not None:
            reached += f", as {await self._who_we_are()}"
        if not self.system.values.get("webhook_secrets"):
            why = "it sends no webhooks" if self._manifest.receive is None else "without webhook_secrets none is let in"
            reached += f"; {why}: answers come at the pace of [work] poll_seconds"
        return f"{reached}; this preset was tried {self._manifest.tried}"

    async def _who_we_are(self) -> str:
        check = self._manifest.check
        if check is None:
            return ""
        answer = await self._access.read(check, self.system.values)
        account = name_of(sought(check.author, answer))
        if not account:
            raise Permanent(f"{' '.join(check.request)}: the answer does not say who we are")
        self.learn_author(account)
        return text_of(sought(check.says, answer)) or account

    async def _know_ourselves(self) -> None:
        if not self.author_id and self._manifest.check is not None:
            await self._who_we_are()

    async def read_ticket(self, ticket_id: str) -> Ticket:
        """Fetch the ticket with all its comments, ours included. Raises TicketNotFound, Transient or Permanent."""
        return self._understood(*await self._read(ticket_id))

    async def _read(self, ticket_id: str) -> tuple[Any, list[Any]]:
        read, values = self._manifest.read, self._of(ticket_id)
        row = await acting.read_row(self._access, self.system, values)
        lists = [await read_comments(self._access, where, row, values) for where in (read.comments, *read.also)]
        return row, [comment for rows in lists for comment in rows]

    def _understood(self, row: Any, comments: list[Any]) -> Ticket:
        try:
            return to_ticket(row, comments, self.system)
        except MalformedPayload as error:
            raise Permanent(f"the answer is not {self._manifest.name}'s: {error}") from None

    def _of(self, ticket_id: str, **more: Any) -> dict[str, Any]:
        """Return what placeholders stand for in a request about a ticket. Raises Permanent for another's id."""
        try:
            number = self.system.id_of(ticket_id, "ticket")
        except MalformedPayload as error:
            raise Permanent(str(error)) from None
        now = written(datetime.now(UTC), ISO)
        values = {**self.system.values, "me": self.author_id, "now": now, "ticket": number, **more}
        if self._manifest.number_ids:
            values |= {key: int(values[key]) for key in ("ticket", "comment") if str(values.get(key, "")).isdigit()}
        return values

    async def post_comment(self, ticket_id: str, text: str) -> Stored:
        """Post a comment, hidden from the requester where the system can. Raises Ambiguous where it may be stored."""
        await self._know_ourselves()
        post = self._manifest.post
        answer = await self._access.write(post, self._of(ticket_id, text=self._as_sent(text)))
        if post.id is None or not (post.author or self.author_id):
            return await self._found(ticket_id, text)
        number = name_of(sought(post.id, answer))
        if not number:
            raise Ambiguous(f"{' '.join(post.request)}: the answer names no comment")
        return self._stored(number, post, answer, name_of(sought(post.author, answer)))

    async def edit_comment(self, ticket_id: str, comment_id: str, text: str) -> Stored:
        """Replace the text of a comment of ours. Only called where the manifest has [edit]."""
        edit = self._manifest.edit
        if edit is None:
            raise Permanent(f"{self._manifest.name} cannot edit a comment")
        values = self._of(ticket_id, comment=comment_id, text=self._as_sent(text))
        return self._stored(comment_id, edit, await self._access.write(edit, values), None)

    async def remove_comment(self, ticket_id: str, comment_id: str) -> None:
        """Remove a comment of ours; one that is gone already is no error. Only called where [remove] is there."""
        remove = self._manifest.remove
        if remove is None:
            raise Permanent(f"{self._manifest.name} cannot remove a comment")
        with suppress(TicketNotFound):
            await self._access.write(remove, self._of(ticket_id, comment=comment_id))

    async def change_ticket(self, ticket_id: str, change: Change) -> None:
        """Carry out a change. Only called where the manifest has the request for it."""
        await acting.change_ticket(self._access, self.system, self._of(ticket_id), change)

    async def read_moves(self, ticket_id: str) -> Sequence[Move]:
        """Fetch the ticket's moves between groups. Only called where the manifest has [moves]."""
        return await acting.read_moves(self._access, self.system, self._of(ticket_id))

    def _as_sent(self, text: str) -> Any:
        storable = text.replace("\0", "").encode("utf-8", "replace").decode()
        return read_json(storable.encode()) if self.capabilities.markup is Markup.ADF else storable

    def _stored(self, number: str, write: Write, answer: Any, author: str | None) -> Stored:
        """Return the comment with its text, where the answer shows it as lists of comments do."""
        shown: Message | None = None
        if write.at is not None:
            try:
                shown = to_message(self._manifest.comment, sought(write.at, answer), self.system)
            except MalformedPayload:
                shown = None
        if shown is None or shown.id != number:
            return Stored(number, None, author)
        return Stored(number, shown.text, author or shown.author_id)

    async def _found(self, ticket_id: str, text: str) -> Stored:
        """Return our comment, whose id the answer does not name: the newest that bears the mark of its text."""
        mark = MARK.findall(text)[-1:]
        for message in reversed((await self.read_ticket(ticket_id)).messages):
            if mark and mark[0] in message.text and message.id is not None:
                ours = self.author_id in ("", message.author_id)
                if ours:
                    return Stored(message.id, message.text, message.author_id)
        raise Ambiguous(f"{' '.join(self._manifest.post.request)}: answered, but the comment is not there yet")

    async def poll(self, watermark: str | None, look_back: timedelta = LOOK_BACK) -> Poll:
        """Find what changed since the last poll. The first poll (None) starts at the present."""
        looking = self._manifest.poll
        if looking is None:
            raise Permanent(f"{self._manifest.name} is not polled")
        await self._know_ourselves()
        now, timed = datetime.now(UTC), looking.changed_at is not None
        if watermark is None:
            values = self.system.of_changes(now, looking.since)
            there = [] if timed else await read_whole(self._access, looking, values, "[poll]")
            return Poll((), polling.began(polling.changed(there, looking, self.system, now), now).model_dump_json())
        known, overlap = polling.read_watermark(watermark, now), timedelta(seconds=looking.overlap_seconds)
        looked = await look(self._access, self.system, looking, known, now)
        listed, fresh = looked.changed, polling.fresh(looked.changed, known, now)
        read = fresh[: polling.MOST_READ]
        tickets = await self._tickets(read)
        events = [event for ticket in tickets for event in polling.told(ticket, self.author_id, known, looking)]
        complete = looked.complete and len(read) == len(fresh)
        mark = polling.conclude(known, listed, read, overlap, datetime.now(UTC), complete=complete, timed=timed)
        return Poll(events, mark.model_dump_json(), complete, tickets)

    async def _tickets(self, rows: Sequence[polling.Changed]) -> list[Ticket]:
        """Read tickets one by one. One that is gone or cannot be read does not hold up the others."""
        found, refused = list[Ticket](), list[Permanent]()
        for each in rows:
            try:
                found.append(await self.read_ticket(each.id))
            except TicketNotFound:
                continue
            except Permanent as error:
                refused.append(error)
        if refused and not found:
            raise refused[0]
        return found

    async def history(self, since: datetime, place: str | None, *, messages: bool) -> Past:
        """Read a part of the list of changed tickets, for those that were closed since a time."""
        looking = self._manifest.past
        if looking is None:
            raise Permanent(f"{self._manifest.name} has no list that tells times of change: its history cannot be read")
        await self._know_ourselves()
        reader = past.Reader(self._access, self.system, looking, self.author_id, self.read_ticket, messages)
        return await (past.part if looking.ordered else rounds.part)(reader, since, place)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._access.aclose()
