"""What a look at the list of changed tickets tells: pure, the reading itself is in `connector.py`.

The list is asked for what changed since the last look, and some seconds more: clocks differ, and a change may show
late. What was told before is told under the same ids, so that it counts once; a ticket that stands in the list as it
stood at the last look is not read again. Systems tell whole seconds: one that was read within the second in which it
changed may have changed once more in that second, and is read once again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from connectors.base import LOOK_BACK
from connectors.deliveries import Wire, decode
from connectors.errors import MalformedPayload, Permanent
from connectors.events import Event, Kind, Message, Ticket
from connectors.manifest.mapping import moment, sought
from connectors.manifest.model import Poll as Looking
from connectors.manifest.receiving import event_id
from connectors.manifest.system import System

SECOND = timedelta(seconds=1)
"""Coarser than the times of any system that was tried."""
SETTLED = 2 * SECOND
"""After this, by our clock, the second of a change is over."""
AHEAD = timedelta(days=1)
"""By which a system's clock or zone may differ from ours. A change dated later moves no look behind it: it would be the
last one that is ever found."""
MOST_READ = 50
"""Tickets that one look reads one by one; the rest follows in the next."""


class Watermark(Wire):
    """How far looks have come: the time of the newest change seen, and the tickets seen with about that time.

    `told`: until when everything was told. It stays behind `since` while a look is not complete: among what is left,
    there may be a ticket that was filed early and changed late. `began`: the time of the first look. `unsettled`: when
    those were read, by our clock, that changed in the newest second of the list.
    """

    told: datetime
    since: datetime
    seen: dict[str, str]
    began: datetime | None = None
    unsettled: dict[str, datetime] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """A row of the list: a ticket that changed."""

    id: str
    at: datetime
    row: Any
    digest: str | None = None
    """Of the row, where it tells no time."""

    @property
    def stamp(self) -> str:
        """What differs once the ticket changes again."""
        return self.digest or self.at.isoformat()


def read_watermark(text: str, now: datetime) -> Watermark:
    """Parse what `Poll.watermark` holds; one that lies ahead, of an earlier release, goes back as far as looks do.

    Raises Permanent: starting afresh would silently lose what lies between.
    """
    try:
        known = decode(Watermark, text.encode())
    except MalformedPayload as error:
        raise Permanent(f"the stored poll watermark is unreadable: {error}") from None
    if known.since <= now + AHEAD:
        return known
    return known.model_copy(update={"since": now - LOOK_BACK, "told": min(known.told, now - LOOK_BACK)})


def changed(rows: Sequence[Any], looking: Looking, system: System, now: datetime) -> list[Changed]:
    """Return the rows of the list, oldest change first, each ticket once with its newest change.

    Where rows tell no time, each is as of `now`. Raises Permanent for a row without id or time.
    """
    found, what = dict[str, Changed](), " ".join(looking.request)
    for row in rows:
        at = now if looking.changed_at is None else moment(looking.changed_at, row)
        try:
            number = system.id_of(sought(looking.ticket or system.manifest.ticket.id, row), "ticket")
        except MalformedPayload as error:
            raise Permanent(f"{what}: {error}") from None
        if at is None:
            where = looking.changed_at.at.text if looking.changed_at else ""
            raise Permanent(f"{what}: ticket {number} has no time at {where}")
        if looking.ticket is None or number not in found or found[number].at <= at:
            found[number] = Changed(number, at, row, None if looking.changed_at else _digest(row))
    return sorted(found.values(), key=lambda each: each.at)


def fresh(rows: Sequence[Changed], known: Watermark, now: datetime) -> list[Changed]:
    """Return the tickets that changed since they were last looked at, and those that may have."""
    return [each for each in rows if not _seen(each, known) or _due(each, known, now)]


def _seen(each: Changed, known: Watermark) -> bool:
    return known.seen.get(each.id) == each.stamp


def _due(each: Changed, known: Watermark, now: datetime) -> bool:
    read_at = known.unsettled.get(each.id)
    return read_at is not None and not timedelta(0) <= now - read_at < SETTLED


def began(rows: Sequence[Changed], now: datetime) -> Watermark:
    """Return where looks begin; `rows` stand in the list already, where it tells no times."""
    return Watermark(told=now, since=now, seen={each.id: each.stamp for each in rows}, began=now)


def _digest(row: Any) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()[:16]


def conclude(
    known: Watermark,
    listed: Sequence[Changed],
    read: Sequence[Changed],
    overlap: timedelta,
    now: datetime,
    *,
    complete: bool,
    timed: bool = True,
) -> Watermark:
    """Return the next watermark. `read` are those `listed` tickets that this look has told of, up to `now`.

    They are all of them if it is `complete`. A list that is too long to be read, and in which nothing was new, has no
    end: the next look begins behind its last change, or none would ever get further. Of a list that tells no times
    (`timed`), what was seen is kept, however old.
    """
    since = max((known.since, *(each.at for each in read if each.at <= now + AHEAD)))
    dated = [each.at for each in listed if each.at <= now + AHEAD]
    if dated and not read and not complete:
        since = max(since, dated[-1] + overlap + SECOND)
    horizon, newest = since - overlap - SECOND, max(dated, default=since)
    seen = {**known.seen, **{each.id: each.stamp for each in read}}
    there = {each.id for each in listed}
    kept = {n: at for n, at in seen.items() if (datetime.fromisoformat(at) >= horizon if timed else n in there)}
    waiting = {number: at for number, at in known.unsettled.items() if number not in {each.id for each in read}}
    within = {
        each.id: now for each in read if timed and not _seen(each, known) and newest < each.at + SECOND <= now + AHEAD
    }
    unsettled = {number: at for number, at in (waiting | within).items() if number in kept}
    told_until = since if complete else known.told
    return Watermark(told=told_until, since=since, seen=kept, began=known.began, unsettled=unsettled)


def told(ticket: Ticket, author_id: str, known: Watermark, looking: Looking) -> Iterator[Event]:
    """Yield what happened to a ticket since the last look, as far as it names its times; ours tells nothing.

    What lies before the last look that told everything is history, and no event. Where a comment is no change of its
    ticket, it may be older than that look: only what lies before the first one is history then.
    """
    horizon = known.told - timedelta(seconds=looking.overlap_seconds)
    unheard = horizon if looking.comments_move or known.began is None else known.began
    if ticket.created_at is not None and ticket.created_at >= horizon:
        yield Event(
            Kind.CREATED, ticket.id, event_id(Kind.CREATED, ticket.id, None, None, ""), ticket.created_at, ticket=ticket
        )
    theirs = [message for message in ticket.messages if message.author_id != author_id or not author_id]
    for message in theirs:
        if message.created_at is not None and message.created_at >= unheard:
            name = event_id(Kind.COMMENTED, ticket.id, None, message, "")
            yield Event(Kind.COMMENTED, ticket.id, name, message.created_at, message, ticket)
    if ticket.closed and (ticket.closed_at is None or ticket.closed_at >= horizon):
        yield closure(ticket, theirs)


def closure(ticket: Ticket, theirs: Sequence[Message]) -> Event:
    """Return the event that a ticket was closed; without a time, the last word of others stands in for it."""
    last = theirs[-1].id if theirs else None
    name = event_id(Kind.CLOSED, ticket.id, ticket.closed_at, None, f"after-{last or 'creation'}")
    return Event(Kind.CLOSED, ticket.id, name, ticket.closed_at, ticket=ticket)
