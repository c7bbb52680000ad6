"""Post or edit the one comment on a ticket: compare the comment that is there with the one we want.

No queue can guarantee a single comment: a request that timed out, or whose process was killed, may still be carried
out. So the attempt is stored before the request is sent. An attempt without an outcome is unsettled for
`settle_seconds`, after which its request must have ended one way or the other; then the ticket is read before the next
request. Marks (connectors.markup) identify our own comment; those of release 0.1 carry no version.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from types import ModuleType
from typing import TypeVar

import structlog

from agent.domain import ticket_key
from agent.feedback import accounts
from agent.notes import phrasing, wording
from agent.store import comments
from agent.store.comments import Limits
from agent.store.database import Database
from agent.store.tables import Comment as Intent
from agent.store.tables import utcnow
from connectors.base import Connector, Stored
from connectors.errors import Ambiguous, ConnectorError, Transient
from connectors.events import Message, Ticket
from connectors.markup import add_below, changed_by_person, unsigned, version_of, version_there
from connectors.note import Note

log = structlog.get_logger()

Done = TypeVar("Done")


class TooEarly(Transient):
    """A comment has to wait for `left` more seconds. Nothing failed."""

    def __init__(self, why: str, left: float) -> None:
        super().__init__(why, left)
        self.left = left


class Unsettled(TooEarly):
    """An earlier attempt to comment may be in flight for `left` more seconds."""

    def __init__(self, left: float) -> None:
        super().__init__("an earlier attempt to comment may still be under way", left)


class Said(StrEnum):
    """The outcome of `say`. UNCHANGED: it was there; SHADOWED: recorded, not posted; REMOVED: by us, for good."""

    POSTED = "posted"
    EDITED = "edited"
    UNCHANGED = "unchanged"
    WITHHELD = "withheld"
    REMOVED_BY_STAFF = "removed_by_staff"
    SHADOWED = "shadowed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The note that our comment should show, and its ticket."""

    connector: Connector
    ticket_id: str
    note: Note
    version: str

    def text(self, mark: str) -> str:
        return phrasing.rendered(self.note, self.connector.capabilities.markup, f"{mark}-{self.version}")

    def replacement(self, mark: str) -> str:
        """Return the text of a new comment that replaces one that cannot be edited."""
        return replace(self, note=wording.replacing(self.note)).text(mark)

    def below(self, words: str, mark: str) -> str:
        """Return a person's words, with the note in one line below."""
        markup = self.connector.capabilities.markup
        return add_below(words, wording.headline(self.note), markup, f"{mark}-{self.version}")


@dataclass(frozen=True, slots=True)
class Speaker:
    """Posts and edits the comments of one installation, with marks made with `key`; posts nothing in shadow mode."""

    database: Database
    key: bytes
    settle: timedelta
    limits: Limits = field(default_factory=Limits)
    shadow: bool = False
    _ends: dict[tuple[str, datetime], float] = field(default_factory=dict)
    """When each attempt without an outcome must have ended, on the monotonic clock."""

    async def say(
        self, connector: Connector, ticket: Ticket, note: Note, *, asked: bool = False, repeated: bool = False
    ) -> Said:
        """Make the note our one comment on the ticket, unless a brake is on. Safe to repeat. Raises ConnectorError.

        `ticket` was just read; it is read again only where our comment may have appeared since. In shadow mode the note
        is only recorded. `asked`: staff asked for it, so that only a pause by hand holds it back. `repeated`: an
        earlier attempt was for the same event, and its text stays where it has arrived.
        """
        if not self.shadow and (reason := await self.database.read(comments.silenced, asked=asked)):
            log.info("comment_withheld", reason=reason)
            return Said.WITHHELD
        key = ticket_key(connector.source, ticket.id)
        if repeated and await self._arrived(connector, ticket, key):
            return Said.UNCHANGED
        version = version_of(phrasing.rendered(note, connector.capabilities.markup))
        wanted = _Wanted(connector, ticket.id, note, version)
        intent = await self.database.write(comments.want, key, mark_of(self.key, key), phrasing.here(wanted.text))
        if self.shadow or intent.removed_at is not None:
            return Said.SHADOWED if self.shadow else Said.REMOVED
        self.await_settled(intent)
        there = await self.look(connector, ticket, intent)
        if there is None:
            return await self._say_first(wanted, intent, asked)
        return await self._say_again(wanted, intent, there, asked)

    async def look(self, connector: Connector, ticket: Ticket, intent: Intent) -> Message | None:
        """Return our comment, read again after an unsettled attempt, or if it is not as recorded: it may be newer."""
        there = find_ours(ticket, connector.author_id, intent.marker, intent.remote_id)
        if comments.unsettled(intent) or not _as_recorded(there, intent):
            ticket = await connector.read_ticket(ticket.id)
            there = find_ours(ticket, connector.author_id, intent.marker, intent.remote_id)
        return there

    async def _arrived(self, connector: Connector, ticket: Ticket, key: str) -> bool:
        """Return whether the text of an attempt without an outcome is on the ticket, and record that it is."""
        intent = await self.database.read(comments.get, key)
        if intent is None or (attempted_at := comments.unsettled(intent)) is None:
            return False
        self.await_settled(intent)
        there, mark = await self.look(connector, ticket, intent), intent.marker
        version = version_there(intent.text, mark)
        if there is None or not version or version_there(there.text, mark) != version:
            return False
        stored = Stored(there.id or "", there.text)
        await self.database.write(comments.posted, key, stored, utcnow(), version, intent.staff_text, None)
        self._ends.pop((key, attempted_at), None)
        return True

    async def _say_first(self, wanted: _Wanted, intent: Intent, asked: bool) -> Said:
        if intent.remote_id is not None:
            log.info("comment_removed_by_staff")  # their decision stands
            await self.database.write(comments.deleted, intent.ticket_key)
            return Said.REMOVED_BY_STAFF
        return await self._post(wanted, intent, wanted.text(intent.marker), asked)

    async def _say_again(self, wanted: _Wanted, intent: Intent, there: Message, asked: bool) -> Said:
        """Bring the existing comment up to date, and keep the words that a person put into it."""
        mark, connector = intent.marker, wanted.connector
        words = intent.staff_text
        if changed_by_person(there.text, mark, intent.shown, intent.version):
            words = unsigned(there.text)
        claimed = version_there(there.text, mark)
        if (intent.version if claimed is None else claimed) == wanted.version:
            await self._note_posted(intent, Stored(there.id or "", there.text), wanted, words)
            return Said.UNCHANGED
        if not connector.capabilities.edits_comments:
            return await self._post(wanted, intent, wanted.replacement(mark), asked)
        text = wanted.text(mark) if words is None else wanted.below(words, mark)
        request = partial(connector.edit_comment, wanted.ticket_id, there.id or "", text)
        await self._note_posted(intent, await self.carry_out(intent.ticket_key, request), wanted, words)
        return Said.EDITED

    async def _post(self, wanted: _Wanted, intent: Intent, text: str, asked: bool) -> Said:
        if not asked and (reason := await self.database.write(comments.held_back, intent.ticket_key, self.limits)):
            log.warning("comment_withheld", reason=reason)
            return Said.WITHHELD
        stored = await self.carry_out(intent.ticket_key, partial(wanted.connector.post_comment, wanted.ticket_id, text))
        await self._note_posted(intent, stored, wanted, None)
        if stored.author_id and stored.author_id != wanted.connector.author_id:
            await self.database.write(accounts.learn_ours, wanted.connector.source, stored.author_id)
            wanted.connector.learn_author(stored.author_id)
            log.info("own_account_learnt", account=stored.author_id)
        return Said.POSTED

    async def _note_posted(self, intent: Intent, stored: Stored, wanted: _Wanted, staff_text: str | None) -> None:
        """Record the comment that is on the ticket now; the attempt is settled."""
        key, choices = intent.ticket_key, wanted.note.choices
        await self.database.write(comments.posted, key, stored, utcnow(), wanted.version, staff_text, choices)
        if attempted_at := comments.unsettled(intent):
            self._ends.pop((intent.ticket_key, attempted_at), None)

    def await_settled(self, intent: Intent) -> None:
        """Raise Unsettled while the request of an earlier attempt may still be in flight."""
        if attempted_at := comments.unsettled(intent):
            self.await_end(intent.ticket_key, attempted_at)

    def await_end(self, key: str, attempted_at: datetime) -> None:
        """Raise Unsettled while a request that began then may still be in flight.

        For an attempt of an earlier process only the time of day shows its age. Without a shared database's clock that
        may have been set meanwhile, so the whole time is waited from now on.
        """
        attempt = key, attempted_at
        if attempt not in self._ends:
            ago = utcnow() - attempted_at if self.database.clustered else timedelta(0)
            self._ends[attempt] = time.monotonic() + (self.settle - max(ago, timedelta(0))).total_seconds()
        if (left := self._ends[attempt] - time.monotonic()) > 0:
            raise Unsettled(left)

    async def carry_out(self, key: str, request: Callable[[], Awaitable[Done]], ledger: ModuleType = comments) -> Done:
        """Record the attempt in the ledger, then send the request. Edits are, too: a late one would undo a later."""
        attempted_at = await self.database.write(ledger.attempt, key, utcnow())
        self._ends[key, attempted_at] = time.monotonic() + self.settle.total_seconds()
        try:
            done = await request()
        except ConnectorError as error:
            if not isinstance(error, Ambiguous):
                await self.database.write(ledger.refused, key, attempted_at)
                del self._ends[key, attempted_at]
            raise
        del self._ends[key, attempted_at]
        return done


def _as_recorded(there: Message | None, intent: Intent) -> bool:
    if there is None:
        return intent.remote_id is None
    return version_there(there.text, intent.marker) in (intent.version, None)


def mark_of(key: bytes, ticket: str) -> str:
    """Return the mark of our comment on this ticket. It cannot be forged without the installation's key."""
    return f"rolecall-{hmac.new(key, ticket.encode(), hashlib.sha256).hexdigest()[:20]}"


def find_ours(ticket: Ticket, author_id: str, mark: str, remote_id: str | None) -> Message | None:
    """Return our comment, the newest of several: it has our mark, or the id that we stored.

    Only our own account's count: anybody could paste the mark. Where it is not known (""), the oldest one's does.
    """
    stored = [message for message in ticket.messages if message.id is not None]
    if not author_id:
        return next((message for message in stored if mark in message.text), None)
    own = [message for message in stored if message.author_id == author_id]
    found = [message for message in own if message.id == remote_id or mark in message.text]
    return found[-1] if found else None
