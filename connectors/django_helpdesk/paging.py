"""Reading the helpdesk: pages of follow-ups and of open tickets, never more than a look may ask for, and one ticket."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import httpx

from connectors.deliveries import Wire, decode
from connectors.django_helpdesk.histories import spoken_of
from connectors.django_helpdesk.payload import FollowUp, FollowUpPage, TicketPage, TicketRow
from connectors.django_helpdesk.settings import DjangoHelpdeskSettings
from connectors.errors import MalformedPayload, Permanent, TicketNotFound
from connectors.http import Response, call

TICKETS = "api/tickets/"
FOLLOW_UPS = "api/followups/"

MOST_PAGES = 10
"""Pages of follow-ups that one look reads, twice at most."""

RECENT_PAGES = 3
"""Pages of the newest tickets that one look reads."""

Model = TypeVar("Model", bound=Wire)


class Reader:
    """Reads what one helpdesk shows."""

    def __init__(self, client: httpx.AsyncClient, settings: DjangoHelpdeskSettings) -> None:
        self._client = client
        self._size = settings.page_size
        self._open_statuses = ",".join(map(str, settings.open_statuses))

    async def ticket(self, number: int) -> TicketRow:
        """Return one ticket. Raises TicketNotFound.

        It is looked for among the open tickets first: the helpdesk walks through all that match the filter, and without
        one that takes 1.4 s with 5,000 tickets.
        """
        try:
            return await self._ticket(number, status=self._open_statuses)
        except TicketNotFound:
            return await self._ticket(number)

    async def tickets(self, numbers: Iterable[int]) -> list[TicketRow]:
        """Return those of these tickets that are there: others were deleted, or moved where our account may not see."""
        found = []
        for number in numbers:
            try:
                found.append(await self._ticket(number))
            except TicketNotFound:
                continue
        return found

    async def newest_follow_ups(self) -> FollowUpPage:
        """Return the newest page."""
        return await self._follow_up_page("last")

    async def follow_ups_since(self, number: int, newest: FollowUpPage) -> tuple[list[FollowUp], bool]:
        """Return the follow-ups with a higher id, and whether these are all.

        They are read from the newest page backwards. Where that takes too many pages, the oldest are read instead.
        """
        page = newest
        found, index = list(page.results), -(-page.count // self._size)
        for _ in range(MOST_PAGES):
            if index <= 1 or any(followup.id <= number for followup in page.results):
                return [followup for followup in found if followup.id > number], True
            index -= 1
            page = await self._follow_up_page(index)
            found += page.results
        return await self._oldest_follow_ups_since(number, index), False

    async def _oldest_follow_ups_since(self, number: int, index: int) -> list[FollowUp]:
        """Return some pages of follow-ups with a higher id, oldest first; those of page `index` are all higher."""
        first, count, found = 1, 0, list[FollowUp]()
        while first < index:
            middle = (first + index) // 2
            page = await self._follow_up_page(middle)
            if any(followup.id > number for followup in page.results):
                index = middle
            else:
                first = middle + 1
        for following in range(first, first + MOST_PAGES):
            page = await self._follow_up_page(following)
            if page.count < count:
                break  # follow-ups were deleted while we read: one may have slipped to a page that we have read
            count = page.count
            found += page.results
        return [followup for followup in found if followup.id > number]

    async def _follow_up_page(self, index: int | str) -> FollowUpPage:
        return await self._page(FollowUpPage, FOLLOW_UPS, page=index, page_size=self._size)

    async def open_tickets(self) -> list[TicketRow]:
        """Return all open tickets."""
        found, index = dict[int, TicketRow](), 1
        while True:
            try:
                page = await self.open_page(index, self._size)
            except TicketNotFound:
                break  # the list became shorter while we read it
            found |= {row.id: row for row in page.results}
            if index * self._size >= page.count:
                break
            index += 1
        return list(found.values())

    async def newest_tickets(self, horizon: datetime) -> list[TicketRow]:
        """Return the newest tickets, closed ones included, as far as something was said about them since `horizon`.

        At most RECENT_PAGES pages: without a filter the helpdesk walks through all its tickets for each.
        """
        found, index = list[TicketRow](), 1
        page = await self._page(TicketPage, TICKETS, page="last", page_size=self._size)
        last = -(-page.count // self._size)
        while True:
            recent = [row for row in page.results if spoken_of(row, horizon)]
            found += recent
            if len(recent) < len(page.results) or index == RECENT_PAGES or index >= last:
                return found
            page = await self._page(TicketPage, TICKETS, page=last - index, page_size=self._size)
            index += 1

    async def open_page(self, index: int | str, size: int) -> TicketPage:
        """Return one page of open tickets."""
        return await self._page(TicketPage, TICKETS, status=self._open_statuses, page=index, page_size=size)

    async def page_of_all(self, index: int | str, size: int) -> TicketPage:
        """Return one page of all tickets, by number."""
        return await self._page(TicketPage, TICKETS, page=index, page_size=size)

    async def _ticket(self, number: int, **params: str) -> TicketRow:
        response = await call(self._client, "GET", f"{TICKETS}{number}/", params=params)
        return _understood(TicketRow, response, TICKETS)

    async def _page(self, model: type[Model], path: str, **params: str | int) -> Model:
        return _understood(model, await call(self._client, "GET", path, params=params), path)


def _understood(model: type[Model], response: Response, path: str) -> Model:
    try:
        return decode(model, response.body)
    except MalformedPayload as error:
        raise Permanent(f"GET {path}: the answer is not django-helpdesk's: {error}") from None
