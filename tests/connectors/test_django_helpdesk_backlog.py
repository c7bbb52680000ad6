"""After a long outage: so many requests a look and no more, and in the end everything was told once."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.base import Poll
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings, paging, polling
from connectors.django_helpdesk.paging import MOST_PAGES, RECENT_PAGES
from connectors.django_helpdesk.polling import MOST_READ
from connectors.events import Kind
from tests.connectors.history import walk

pytestmark = pytest.mark.anyio

MORNING = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
OPEN, CLOSED = 1, 4
PAGE = 5


@dataclass
class PagedHelpdesk:
    """The helpdesk's API in memory: pages of follow-ups by id, pages of tickets by status, single tickets."""

    tickets: dict[int, int] = field(default_factory=dict)
    followups: list[dict[str, Any]] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)

    def say(self, ticket: int, comment: str, new_status: int | None = None, public: bool = False) -> None:
        number = len(self.followups) + 1
        date = (MORNING + timedelta(seconds=number)).isoformat()
        self.followups.append(
            {"id": number, "ticket": ticket, "user": 3, "comment": comment, "public": public, "new_status": new_status,
             "date": date}
        )  # fmt: skip
        self.tickets[ticket] = new_status or self.tickets[ticket]

    def file(self) -> int:
        number = len(self.tickets) + 1
        self.tickets[number] = OPEN
        self.say(number, "Oil", public=True)
        return number

    def row(self, number: int) -> dict[str, Any]:
        history = [followup for followup in self.followups if followup["ticket"] == number]
        status = self.tickets[number]
        return {
            "id": number,
            "queue": 1,
            "title": "Leak",
            "description": "Oil",
            "status": status,
            "followup_set": history,
        }

    def answer(self, request: httpx.Request) -> httpx.Response:
        kind, _, number = request.url.path.removeprefix("/api/").strip("/").partition("/")
        self.requests[f"{kind}{' one' * bool(number)}"] += 1
        asked = request.url.params
        if number:
            return httpx.Response(200, json=self.row(int(number)))
        rows = self.followups
        if kind == "tickets":
            rows = [
                self.row(n)
                for n, status in self.tickets.items()
                if str(status) in asked.get("status", str(status)).split(",")
            ]
        size, last = int(asked["page_size"]), max(1, -(-len(rows) // int(asked["page_size"])))
        page = last if asked["page"] == "last" else int(asked["page"])
        return httpx.Response(200, json={"count": len(rows), "results": rows[(page - 1) * size : page * size]})

    def connector(self) -> DjangoHelpdesk:
        settings = DjangoHelpdeskSettings(
            url="https://desk.example.test", token="t", author_id="2", webhook_secrets=("sixteen-letters-x",),
            page_size=PAGE,
        )  # fmt: skip
        transport = httpx.MockTransport(self.answer)
        return DjangoHelpdesk(
            "django-helpdesk", settings, httpx.AsyncClient(transport=transport, base_url=settings.url)
        )

    def live(self, chance: random.Random, happenings: int) -> None:
        """Let people file, comment, close with and without a word, and open again."""
        for _ in range(happenings):
            number, luck = chance.choice(list(self.tickets)), chance.random()
            if luck < 0.4:
                number = self.file()
                if chance.random() < 0.3:
                    self.say(number, "", CLOSED)
            elif luck < 0.6:
                self.say(number, f"word {len(self.followups)}")
            elif luck < 0.75:
                self.say(number, "done", CLOSED)
            elif luck < 0.95:
                self.tickets[number] = CLOSED
            else:
                self.say(number, "again", 2)


@pytest.fixture
def helpdesk() -> PagedHelpdesk:
    desk = PagedHelpdesk()
    for _ in range(20):
        desk.file()
    return desk


def told(poll: Poll) -> list[tuple[str, str, str]]:
    return [(event.kind, event.ticket_id, event.delivery_id) for event in poll.events]


def most_requests(desk: PagedHelpdesk) -> int:
    pages = -(-len(desk.followups) // PAGE)
    return 1 + 2 * MOST_PAGES + pages.bit_length() + 1 + len(desk.tickets) // PAGE + MOST_READ + RECENT_PAGES


async def looks(desk: PagedHelpdesk, watermark: str) -> list[Poll]:
    found, complete = [], False
    while not complete:
        desk.requests.clear()
        found.append(await desk.connector().poll(watermark))
        assert desk.requests.total() <= most_requests(desk)
        watermark, complete = found[-1].watermark, found[-1].complete
    return found


@pytest.mark.parametrize("seed", range(5))
async def test_many_looks_tell_what_one_without_bounds_would(
    helpdesk: PagedHelpdesk, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = (await helpdesk.connector().poll(None)).watermark
    helpdesk.live(random.Random(seed), 400)
    found = await looks(helpdesk, start)
    again = await helpdesk.connector().poll(found[-1].watermark)

    monkeypatch.setattr(paging, "MOST_PAGES", 10**6)
    monkeypatch.setattr(polling, "MOST_READ", 10**6)
    whole = await helpdesk.connector().poll(start)

    assert whole.complete
    assert len(found) > 3
    assert {event for poll in found for event in told(poll)} == set(told(whole))
    assert told(again) == []
    closed = {str(number) for number, status in helpdesk.tickets.items() if status == CLOSED}
    assert closed <= {ticket for kind, ticket, _ in told(whole) if kind == "closed"}


async def test_hundreds_closed_without_a_word_are_read_a_few_a_look(helpdesk: PagedHelpdesk) -> None:
    numbers = [helpdesk.file() for _ in range(200)]
    start = (await helpdesk.connector().poll(None)).watermark
    for number in numbers:
        helpdesk.tickets[number] = CLOSED
    found = await looks(helpdesk, start)
    assert [len(poll.events) for poll in found] == [50, 50, 50, 50]
    assert {ticket for poll in found for _, ticket, _ in told(poll)} == set(map(str, numbers))


async def test_without_the_bounds_a_look_floods_the_helpdesk(
    helpdesk: PagedHelpdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""
    start = (await helpdesk.connector().poll(None)).watermark
    helpdesk.live(random.Random(1), 400)
    bound = most_requests(helpdesk)
    monkeypatch.setattr(paging, "MOST_PAGES", 10**6)
    monkeypatch.setattr(polling, "MOST_READ", 10**6)
    helpdesk.requests.clear()
    await helpdesk.connector().poll(start)
    assert helpdesk.requests.total() > bound


async def test_a_follow_up_that_slips_to_a_page_already_read_is_not_lost(helpdesk: PagedHelpdesk) -> None:
    start = (await helpdesk.connector().poll(None)).watermark
    for number in range(300):
        helpdesk.say(1 + number % 20, f"word {number}")
    wanted = {str(f["id"]) for f in helpdesk.followups[20:]}
    answer = helpdesk.answer

    def deleting(request: httpx.Request) -> httpx.Response:
        if (
            request.url.params.get("page") == "9"
            and request.url.path == "/api/followups/"
            and len(helpdesk.followups) == 320
        ):
            del helpdesk.followups[0]  # somebody deletes while we read
        return answer(request)

    helpdesk.answer = deleting  # type: ignore[method-assign]
    found = await looks(helpdesk, start)
    assert len(helpdesk.followups) == 319
    assert {d.removeprefix("followup-") for poll in found for _, _, d in told(poll)} == wanted


async def test_the_history_tells_each_closure_once_as_a_poll_does_while_tickets_come_and_go() -> None:
    chance, desk = random.Random(1), PagedHelpdesk()
    for _ in range(24):
        desk.say(desk.file(), "done", CLOSED)
    began = await desk.connector().poll(None)
    kept = set(desk.tickets)

    def meanwhile() -> None:
        desk.file()
        gone = chance.choice(sorted(kept))
        kept.discard(gone)
        desk.tickets.pop(gone, None)

    told = await walk(desk.connector(), meanwhile=meanwhile)
    assert {f"followup-{2 * number}" for number in kept} <= told.keys()
    again = next(iter(kept))
    desk.say(again, "again", 2)
    desk.say(again, "done", CLOSED)
    found = [e.delivery_id for e in (await desk.connector().poll(began.watermark)).events if e.kind is Kind.CLOSED]
    assert set(found) & set(await walk(desk.connector()))


async def test_a_board_that_closes_without_a_word_ends_tickets_at_their_last_word() -> None:
    desk = PagedHelpdesk()
    number = desk.file()
    desk.tickets[number] = CLOSED
    past = await desk.connector().history(MORNING, None, messages=False)
    (event,) = past.closures
    assert (event.delivery_id, event.occurred_at) == (
        "ticket-1-closed-after-followup-1",
        MORNING + timedelta(seconds=1),
    )
    later = await desk.connector().history(MORNING + timedelta(hours=1), None, messages=False)
    assert (list(later.closures), later.complete, later.looked) == ([], True, 1)
