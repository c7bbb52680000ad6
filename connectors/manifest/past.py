"""How closed tickets ended, read from the list of changed tickets, from a day in the past on.

Each request asks for what changed since the last ticket that was looked at, oldest change first: whatever changes
meanwhile moves behind that, so no ticket slips to where was read already. The page is turned only where more tickets
changed at one moment than a page holds; what may slip there is found by reading that moment again until nothing on it
is new. A ticket is read by itself only where its row does not tell all, or messages are asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pydantic import Field

from connectors.base import Past
from connectors.deliveries import Wire, decode
from connectors.errors import MalformedPayload, Permanent, TicketNotFound, Transient
from connectors.events import Event, Kind, Ticket
from connectors.manifest.access import Access
from connectors.manifest.lists import Turn, first, read_on
from connectors.manifest.mapping import is_closed, sought, to_ticket
from connectors.manifest.model import Poll
from connectors.manifest.polling import MOST_READ, Changed, changed, closure
from connectors.manifest.system import System
from connectors.manifest.values import plain, text_of, written

ROUNDS = 5
"""Each is shorter than the one before: a ticket would have to change in every one of them to be missed."""

MOST_REFUSED = 5
"""Tickets in a row that may be refused before it is taken for our account's lack of rights."""

ReadTicket = Callable[[str], Awaitable[Ticket]]


class Way(Wire):
    """How far a list was read, in any order.

    `start` and `begun`: the day from which on, and the time at which the first part was read. `turn`: the next page.
    `refused`: so many tickets could not be read since one was. `rounds`: how often what had changed meanwhile was
    read, too.
    """

    start: datetime
    begun: datetime
    since: datetime
    turn: Turn | None = None
    refused: int = 0
    rounds: int = 0

    @classmethod
    def reached(cls, place: str | None, since: datetime, now: datetime) -> Self:
        """Parse what `Past.place` holds; without it, the way begins. Raises Permanent."""
        if place is None:
            return cls(start=since, begun=now, since=since)
        try:
            return decode(cls, place.encode())
        except MalformedPayload as error:
            raise Permanent(f"the stored place in the history is unreadable: {error}") from None


class Place(Way):
    """How far the list was read: `since` is the newest change looked at, `seen` the tickets with about that time.

    `turn`: the next page of a moment at which more tickets changed than a page holds; `again`: that moment has to be
    read once more. `first`: the oldest change, where the way begins.
    """

    seen: dict[str, str] = Field(default_factory=dict)
    again: bool = False
    first: datetime | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """The tickets of a part that were looked at, the ends of those that were closed, and whether these are all."""

    at: Sequence[Changed]
    ended: Sequence[Event]
    refused: int
    some_read: bool
    all: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads a history. `each`: every closed ticket is read by itself, with its messages."""

    access: Access
    system: System
    looking: Poll
    author_id: str
    read: ReadTicket
    each: bool

    def values(self, at: Way) -> dict[str, Any]:
        """Return what the placeholders of a request stand for."""
        return self.system.of_changes(at.since, self.looking.since)

    async def page(self, at: Way) -> tuple[Turn, list[Any], Turn | None]:
        """Read the page at a place; return what asked for it, its rows, and what asks for the next one."""
        values = self.values(at)
        turn = at.turn or first(self.looking, values)
        return turn, *await read_on(self.access, self.looking, values, turn)


async def part(reader: Reader, since: datetime, place: str | None) -> Past:
    """Read a page of the list."""
    now, looking = datetime.now(UTC), reader.looking
    at = Place.reached(place, since, now)
    turn, rows, following = await reader.page(at)
    listed = changed(rows, looking, reader.system, now)
    fresh = [row for row in listed if at.seen.get(row.id) != row.at.isoformat()]
    looked = await look(fresh, reader, at)
    at = at if at.first or not listed else at.model_copy(update={"first": listed[0].at})
    newest = max((at.since, *(row.at for row in (listed if looked.all else looked.at))))
    after = following_place(at, looked, newest, looking, turn, following, now)
    way = (at.begun - (at.first or at.start)).total_seconds()
    gone = (newest - (at.first or at.start)).total_seconds()
    share = 1.0 if after is None else min(max(gone / way, 0.0), 1.0) if way > 0 else 0.0
    return Past(looked.ended, (after or at).model_dump_json(), after is None, len(looked.at), share, looked.refused)


def following_place(
    at: Place, looked: Looked, newest: datetime, looking: Poll, turn: Turn, following: Turn | None, now: datetime
) -> Place | None:
    """Return the place after a part, which was asked for at `now`; None where the list ended with it.

    A list in which somebody always changes something has no end. Where it was read up to the time at which the reading
    began, the tickets not looked at are those that changed since: that time is read, too, some rounds long.
    """
    same = written(at.since, looking.since)
    moved = written(newest, looking.since) != same
    slipped = turn.number > 1 and any(written(row.at, looking.since) == same for row in looked.at)
    again = at.again or slipped
    seen = {**at.seen, **{row.id: row.at.isoformat() for row in looked.at}}
    at = at.model_copy(update={"refused": looked.refused + (0 if looked.some_read else at.refused)})
    if not looked.all and not moved:
        return at.model_copy(update={"seen": seen, "again": again})
    if not moved and following is not None:
        return at.model_copy(update={"seen": seen, "again": again, "turn": following})
    if again:
        return at.model_copy(update={"seen": seen, "again": False, "turn": None})
    caught_up = looked.all and newest > at.begun
    if not moved or (caught_up and at.rounds == ROUNDS):
        return None
    if caught_up:
        at = at.model_copy(update={"begun": now, "rounds": at.rounds + 1})
    horizon = newest - timedelta(seconds=looking.overlap_seconds + 1)
    near = {number: then for number, then in seen.items() if datetime.fromisoformat(then) >= horizon}
    return at.model_copy(update={"since": newest, "seen": near, "turn": None, "again": False})


async def look(rows: Sequence[Changed], reader: Reader, at: Way) -> Looked:
    """Look at rows, reading so many tickets by themselves and no more; a limit ends the part where it was reached.

    A ticket that is refused is left out. Where all are, or where others could be read before, it is not the ticket.
    """
    done, ended, reads, refused = list[Changed](), list[Event](), 0, 0
    for row in rows:
        if reads == MOST_READ:
            return Looked(done, ended, refused, reads > refused, all=False)
        ticket = _told(row.row, reader.system)
        if ticket is None or (reader.each and ticket.closed):
            try:
                ticket = await reader.read(row.id)
            except TicketNotFound:
                ticket = None  # deleted meanwhile
            except (Permanent, Transient) as error:
                alone = isinstance(error, Permanent) and refused == reads
                if not alone and done:
                    return Looked(done, ended, refused, reads > refused, all=False)
                if not alone or at.refused + refused + 1 == MOST_REFUSED:
                    raise
                ticket, refused = None, refused + 1
            reads += 1
        done.append(row)
        if ticket is not None and ticket.closed and (ticket.closed_at or row.at) >= at.start:
            ended.append(_ending(ticket, reader.author_id, row.at))
    return Looked(done, ended, refused, reads > refused, all=True)


def _told(row: Any, system: System) -> Ticket | None:
    """Return the ticket as its row tells it, None where that leaves out something that a closed ticket is learnt by."""
    where, looking = system.manifest.ticket, system.manifest.past
    row_is_ticket = looking is None or looking.ticket is None
    if not row_is_ticket or text_of(sought(where.status, row)) is None:
        return None
    if is_closed(row, system):
        body = where.body is not None and plain(sought(where.body, row), where.body_format) is not None
        group = where.group is None or text_of(sought(where.group, row)) is not None
        if not body or not group:
            return None
    try:
        ticket = to_ticket(row, (), system)
    except MalformedPayload:
        return None
    return None if ticket.closed and ticket.closed_at is None and where.closed_at is not None else ticket


def _ending(ticket: Ticket, author_id: str, at: datetime) -> Event:
    """Return the event that a poll would tell; where the time is not known, the last change stands in for it."""
    theirs = [message for message in ticket.messages if message.author_id != author_id or not author_id]
    found = closure(ticket, theirs)
    return Event(Kind.CLOSED, ticket.id, found.delivery_id, ticket.closed_at or at, ticket=ticket)
