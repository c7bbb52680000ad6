"""How closed tickets ended, read from the list of all tickets, the newest first.

The list is ordered by number and has no filter for dates. It is walked backwards from its last page, for then nothing
slips away: new tickets stand behind where the walk began, and where one is deleted, those above it move to where is
still to be read. It holds every message, so that none has to be asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from connectors.base import Past
from connectors.deliveries import Wire, decode
from connectors.django_helpdesk.histories import history, is_closing, is_ours, spoken_of
from connectors.django_helpdesk.mapping import to_ticket
from connectors.django_helpdesk.paging import Reader
from connectors.django_helpdesk.payload import TicketRow
from connectors.django_helpdesk.polling import closed_without_follow_up
from connectors.django_helpdesk.settings import DjangoHelpdeskSettings
from connectors.errors import MalformedPayload, Permanent, TicketNotFound
from connectors.events import Event, Kind


class Place(Wire):
    """The page that is read next, of how many when the walk began, and how many tickets a page holds."""

    page: int
    pages: int
    size: int


async def part(reader: Reader, settings: DjangoHelpdeskSettings, since: datetime, place: str | None) -> Past:
    """Read one page of the list. Raises ConnectorError."""
    if place is None:
        newest = await reader.page_of_all("last", settings.page_size)
        pages = max(-(-newest.count // settings.page_size), 1)
        at, rows = Place(page=pages, pages=pages, size=settings.page_size), newest.results
    else:
        at = _read_place(place)
        try:
            rows = (await reader.page_of_all(at.page, at.size)).results
        except TicketNotFound:
            rows = ()  # so many were deleted meanwhile that the list ends before this page
    after = at.model_copy(update={"page": at.page - 1})
    ended = tuple(_endings(rows, settings, since))
    return Past(ended, after.model_dump_json(), after.page < 1, len(rows), 1 - after.page / at.pages)


def _endings(rows: Iterable[TicketRow], settings: DjangoHelpdeskSettings, since: datetime) -> Iterator[Event]:
    """Yield the ends of tickets that are closed, and of which anything was said or done since then."""
    for row in rows:
        if row.status in settings.open_statuses or not spoken_of(row, since):
            continue
        ticket = to_ticket(row, settings)
        if ticket.closed_at is None or ticket.closed_at >= since:
            yield _ending(row, settings)


def _ending(row: TicketRow, settings: DjangoHelpdeskSettings) -> Event:
    """Return the event that a webhook or a poll would tell."""
    ticket = to_ticket(row, settings)
    closing = [
        followup for followup in history(row) if is_closing(followup, settings) and not is_ours(followup, settings)
    ]
    if closing:
        return Event(Kind.CLOSED, ticket.id, f"followup-{closing[-1].id}", closing[-1].date, ticket=ticket)
    dates = [followup.date for followup in row.followup_set if followup.date is not None]
    return replace(closed_without_follow_up(row, settings), occurred_at=max(dates, default=None))


def _read_place(text: str) -> Place:
    try:
        return decode(Place, text.encode())
    except MalformedPayload as error:
        raise Permanent(f"the stored place in the history is unreadable: {error}") from None
