"""What a look at the changed tickets tells, and how closed ones ended: by the number of the transaction that did it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from connectors.base import Past, Poll
from connectors.errors import Permanent, TicketNotFound
from connectors.events import Event, Kind, Ticket
from connectors.manifest.polling import MOST_READ, Changed, Watermark, conclude, fresh, read_watermark
from connectors.request_tracker.mapping import event_of, events_of_history, kind_of, what
from connectors.request_tracker.payload import Changed as Row
from connectors.request_tracker.payload import Transaction
from connectors.request_tracker.reading import Reader
from connectors.request_tracker.settings import RequestTrackerSettings

OVERLAP = timedelta(seconds=120)
"""Looked at again each time; the events' ids make that harmless."""

Read = Callable[[str], Awaitable[tuple[Ticket, list[Transaction]]]]


async def poll(
    reader: Reader, read: Read, watermark: str | None, author_id: str, settings: RequestTrackerSettings
) -> Poll:
    """Find what changed since the last look. Raises ConnectorError."""
    now = datetime.now(UTC)
    if watermark is None:
        return Poll((), Watermark(told=now, since=now, seen={}).model_dump_json())
    known = read_watermark(watermark, now)
    since = (known.since - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
    listed, all_there = await reader.changed(since, lambda rows: len(fresh(_dated(rows), known, now)) > MOST_READ)
    there = _dated(listed)
    news = fresh(there, known, now)
    rows = news[:MOST_READ]
    tickets, events, refused = list[Ticket](), list[Event](), list[Permanent]()
    for each in rows:
        try:
            ticket, history = await read(each.id)
        except TicketNotFound:
            continue
        except Permanent as error:
            refused.append(error)
            continue
        tickets.append(ticket)
        events += events_of_history(ticket, history, known.told - OVERLAP, author_id, settings)
    if refused and not tickets:
        raise refused[0]
    complete = all_there and len(rows) == len(news)
    mark = conclude(known, there, rows, OVERLAP, datetime.now(UTC), complete=complete)
    return Poll(events, mark.model_dump_json(), complete, tickets)


async def history(
    reader: Reader, read: Read, since: datetime, place: str | None, settings: RequestTrackerSettings
) -> Past:
    """Read some of the tickets that were closed since a time, by number: whatever changes, none of them slips past.

    The place is the last number that was looked at, and how many were. Raises ConnectorError.
    """
    last, done = map(int, (place or "0 0").split())
    listed, total = await reader.closed(since.strftime("%Y-%m-%dT%H:%M:%SZ"), last)
    ended, refused = list[Event](), 0
    for row in listed[:MOST_READ]:
        try:
            ticket, told = await read(str(row.id))
        except TicketNotFound:
            continue
        except Permanent:
            refused += 1
            continue
        closings = [each for each in told if kind_of(what(each), each.OldValue, each.NewValue, settings) is Kind.CLOSED]
        if ticket.closed and closings:
            ended.append(event_of(Kind.CLOSED, ticket.id, closings[-1].id, closings[-1].Created, None, ticket))
    looked = [row.id for row in listed[:MOST_READ]]
    if looked and refused == len(looked):
        raise Permanent("Request Tracker shows our account none of the tickets that it lists: does it have ShowTicket?")
    reached = done + len(looked)
    share = reached / (done + total) if done + total else 1.0
    mark = f"{looked[-1] if looked else last} {reached}"
    return Past(ended, mark, not listed, len(looked), min(share, 1.0), refused)


def _dated(rows: Sequence[Row]) -> list[Changed]:
    dated = {row.id: Changed(str(row.id), row.LastUpdated, None) for row in rows if row.LastUpdated is not None}
    return sorted(dated.values(), key=lambda each: each.at)
