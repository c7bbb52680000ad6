"""Look through a system's history: which groups there are, how many tickets each closed, who is staff, and the texts.

What is read is kept, so that the backfill behind it asks for nothing twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from agent.desk.history import Tally
from agent.work.backfill import Progress, Rest, patiently
from agent.work.poll import BATCH_PAUSE_SECONDS
from connectors.base import LOOK_BACK, Connector, Past, Poll, StaffKnownBy
from connectors.events import AuthorKind, Ticket, Visibility

MOST_TEXTS = 5_000
"""Tickets whose texts are looked at: enough to find rules in, and little memory."""

FULL = 50
"""A part with so many tickets made the system work: a pause follows, for the sake of its other users."""

Show = Callable[[Progress, float], object]


@dataclass(slots=True)
class Survey:
    """What the history tells. `tickets` are the latest closed ones, oldest first; `groups` counts all of them.

    `staff` counts the messages of accounts that can only be staff's, by account; `accounts` is whether nothing but the
    account tells who is staff. `listed`: the system can list its history; where it cannot, all of this is unknown.
    """

    groups: Counter[str] = field(default_factory=Counter)
    tickets: list[Ticket] = field(default_factory=list)
    staff: Counter[str] = field(default_factory=Counter)
    accounts: bool = True
    closed: int = 0
    listed: bool = True

    def rename(self, names: Mapping[str, str]) -> None:
        """Give groups the names that people know."""
        counts: Counter[str] = Counter()
        for group, number in self.groups.items():
            counts[names.get(group, group)] += number
        self.groups = counts
        self.tickets = [replace(t, group=names.get(t.group or "", t.group)) for t in self.tickets]


@dataclass(slots=True)
class Told:
    """What a system told of its history, by day and place, and where its poll began."""

    began: Poll | None = None
    parts: dict[tuple[datetime, str | None], Past] = field(default_factory=dict)

    def rename(self, names: Mapping[str, str]) -> None:
        """Give groups the names that people know, by the names that the system told."""
        for at, past in self.parts.items():
            events = tuple(
                replace(
                    event, ticket=replace(event.ticket, group=names.get(event.ticket.group or "", event.ticket.group))
                )
                if event.ticket
                else event
                for event in past.closures
            )
            self.parts[at] = replace(past, closures=events)


class Remembering:
    """A connector whose parts of the history were read once and are told again. Everything else is the connector's."""

    def __init__(self, connector: Connector, told: Told) -> None:
        self._connector, self._told = connector, told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    async def poll(self, watermark: str | None, look_back: timedelta = LOOK_BACK) -> Poll:
        """Poll; the first poll is the one from before the history was read, so that nothing is lost in between."""
        if watermark is None and self._told.began is not None:
            return self._told.began
        found = await self._connector.poll(watermark, look_back)
        if watermark is None:
            self._told.began = found
        return found

    async def history(self, since: datetime, place: str | None, *, messages: bool) -> Past:
        """Return a part, asking for it the first time."""
        if not messages and (known := self._told.parts.get((since, place))) is not None:
            return known
        past = await self._connector.history(since, place, messages=messages)
        if sum(len(part.closures) for part in self._told.parts.values()) < MOST_TEXTS:
            self._told.parts[since, place] = past
        return past


async def survey(connector: Connector, since: datetime, show: Show, rest: Rest = asyncio.sleep) -> Survey:
    """Walk through the history since a day, where the system can list it. Raises ConnectorError."""
    if connector.capabilities.polls:
        await connector.poll(None)
    by_accounts = connector.capabilities.staff_known_by is StaffKnownBy.ACCOUNTS
    found, at = Survey(accounts=by_accounts, listed=connector.capabilities.lists_history), Progress(since)
    while found.listed and not at.done:
        past = await patiently(connector, at, show, rest, messages=False)
        tickets = [event.ticket for event in past.closures if event.ticket is not None]
        for ticket in tickets:
            found.closed += 1
            found.groups[ticket.group or ""] += 1
            found.staff.update(_staff(ticket, connector.author_id))
        found.tickets = _latest([*found.tickets, *tickets])
        tally = at.tally.add(Tally(looked=past.looked, new=len(tickets)))
        at = Progress(since, past.place, past.share, past.complete, tally)
        show(at, 0.0)
        await rest(BATCH_PAUSE_SECONDS if past.looked >= FULL and not at.done else 0)
    return found


def _staff(ticket: Ticket, ours: str) -> list[str]:
    """Return the accounts that wrote what only staff can write, or that had the ticket."""
    wrote = [
        message.author_id
        for message in ticket.messages
        if message.author_id
        and (message.author_kind is AuthorKind.STAFF or message.visibility is Visibility.STAFF_ONLY)
    ]
    had = [ticket.assignee] if ticket.assignee else []
    return [account for account in (*wrote, *had) if account != ours]


def _latest(tickets: Sequence[Ticket]) -> list[Ticket]:
    times: Mapping[str, float] = {t.id: at.timestamp() for t in tickets if (at := t.closed_at or t.created_at)}
    return sorted(tickets, key=lambda ticket: times.get(ticket.id, 0.0))[-MOST_TEXTS:]
