"""Say it once: bring the one comment on a ticket from what is there to what we want.

Desired versus actual, with a hidden marker. No queue can promise a single comment: a request that timed out, or whose
process was killed, may still be carried out. So the attempt is written down first; whoever finds an attempt without an
outcome waits until the request must have ended one way or the other, and looks before it speaks again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TypeVar

import structlog

from agent.domain import ticket_key
from agent.store import brakes, comments
from agent.store.brakes import Limits
from agent.store.database import Database
from agent.store.tables import Comment as Intent
from agent.store.tables import utcnow
from connectors.base import Connector
from connectors.errors import Ambiguous, ConnectorError, Transient
from connectors.events import Message, Ticket

T = TypeVar("T")

log = structlog.get_logger()

_SIGNED = re.compile(r"\[//\]: # \(rolecall-[0-9a-f]{20}\)\s*\Z")


class Unsettled(Transient):
    """An earlier attempt to comment may be under way for some seconds yet: nothing failed, it is too early to look."""

    def __init__(self, left: float) -> None:
        super().__init__("an earlier attempt to comment may still be under way", left)
        self.left = left


class Said(StrEnum):
    """What came of wanting to say something. UNCHANGED: the comment was there, word for word."""

    POSTED = "posted"
    EDITED = "edited"
    UNCHANGED = "unchanged"
    WITHHELD = "withheld"
    REMOVED_BY_STAFF = "removed_by_staff"


def marker_for(key: bytes, ticket: str) -> str:
    """Return the mark of our comment on this ticket. It cannot be forged without the installation's key."""
    return f"rolecall-{hmac.new(key, ticket.encode(), hashlib.sha256).hexdigest()[:20]}"


def ours(ticket: Ticket, author_id: str, marker: str) -> Message | None:
    """Return our comment: only by our own account, or anybody could paste the marker and silence us."""
    found = (c for c in ticket.messages if c.author_id == author_id and marker in c.text)
    return next(found, None)


def by_rolecall(text: str) -> bool:
    """Tell whether a Rolecall wrote this, ours or another installation's: it ends in a mark, whoever's key made it.

    Staff who write one silence themselves alone; so it takes a machine's word for a machine's, never for ours.
    """
    return _SIGNED.search(text) is not None


@dataclass(frozen=True, slots=True)
class Speaker:
    """Posts and edits the comments of one installation, which `key` tells from any other."""

    database: Database
    key: bytes
    settle: timedelta
    limits: Limits = field(default_factory=Limits)
    _ends: dict[tuple[str, datetime], float] = field(default_factory=dict)
    """When each attempt without an outcome must have ended, on a clock that nobody can turn."""

    async def say(self, connector: Connector, ticket_id: str, text: str) -> Said:
        """Make `text` our one comment on the ticket, unless a brake is on. Safe to repeat. Raises ConnectorError."""
        if reason := await self.database.read(brakes.paused):
            log.info("comment_withheld", reason=reason)
            return Said.WITHHELD
        key = ticket_key(connector.source, ticket_id)
        marker = marker_for(self.key, key)
        wanted = f"{text}\n\n[//]: # ({marker})"
        intent = await self.database.write(comments.want, key, marker, wanted)
        self._await_settled(intent)
        ticket = await connector.read_ticket(ticket_id)
        there = ours(ticket, connector.author_id, marker)
        if there is None or there.id is None:
            if intent.remote_id is not None:
                log.info("comment_removed_by_staff")  # their decision stands
                return Said.REMOVED_BY_STAFF
            if reason := await self.database.write(brakes.brake, self.limits, utcnow()):
                log.warning("comment_withheld", reason=reason)
                return Said.WITHHELD
            remote_id = await self._carry_out(key, partial(connector.post_comment, ticket_id, wanted))
            said = Said.POSTED
        else:
            remote_id, said = there.id, Said.UNCHANGED
            if there.text.strip() != wanted:
                await self._carry_out(key, partial(connector.edit_comment, ticket_id, remote_id, wanted))
                said = Said.EDITED
        await self.database.write(comments.posted, key, remote_id, utcnow())
        if attempted_at := comments.unsettled(intent):
            self._ends.pop((key, attempted_at), None)
        return said

    def _await_settled(self, intent: Intent) -> None:
        """Raise Unsettled while an earlier attempt may still be under way on the other side.

        How long ago an earlier process made it, only the time of day can tell; unless that is the shared database's,
        it may have been changed, so the attempt is waited for from now on.
        """
        if attempted_at := comments.unsettled(intent):
            attempt = intent.ticket_key, attempted_at
            if attempt not in self._ends:
                ago = utcnow() - attempted_at if self.database.clustered else timedelta(0)
                self._ends[attempt] = time.monotonic() + (self.settle - max(ago, timedelta(0))).total_seconds()
            if (left := self._ends[attempt] - time.monotonic()) > 0:
                raise Unsettled(left)

    async def _carry_out(self, key: str, request: Callable[[], Awaitable[T]]) -> T:
        """Send a request that posts or edits, noted before it leaves. An edit that comes late undoes a later one."""
        attempted_at = await self.database.write(comments.attempt, key, utcnow())
        self._ends[key, attempted_at] = time.monotonic() + self.settle.total_seconds()
        try:
            outcome = await request()
        except Ambiguous:
            raise
        except ConnectorError:
            await self.database.write(comments.refused, key, attempted_at)
            del self._ends[key, attempted_at]
            raise
        del self._ends[key, attempted_at]
        return outcome
