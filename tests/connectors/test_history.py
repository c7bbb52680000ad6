"""The history of every system is read once, whatever changes meanwhile and however often the reader dies."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.errors import Permanent
from connectors.events import Event, Kind, Visibility
from connectors.manifest.catalogue import document_of, kind_of
from connectors.manifest.connector import ManifestConnector
from tests.connectors.history import LONG_AGO, walk
from tests.connectors.systems.fake import Fake, Ticket
from tests.connectors.systems.installed import SYSTEMS, Installed, installed, kind, settings

pytestmark = pytest.mark.anyio


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> Installed:
    return long_ago(installed(request.param))


def long_ago(system: Installed) -> Installed:
    system.fake.clock = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
    return system


def closed(fake: Fake, number: int) -> list[Ticket]:
    tickets = [fake.file(f"Pump {n} leaks") for n in range(number)]
    for ticket in tickets:
        fake.say(ticket, "tightened")
        fake.close(ticket)
    return tickets


async def test_each_closed_ticket_is_told_once_as_a_poll_would_tell_it(system: Installed) -> None:
    fake = system.fake
    tickets, still_open = closed(fake, 5), fake.file("Still open")
    told = await walk(system.connect(), messages=True)
    assert set(told.values()) == {1}
    assert len(told) == 5, told
    assert not any(fake.name(still_open.id) in name.split("-") for name in told)
    connector = system.connect()
    began = await connector.poll(None)
    fake.clock = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    fake.close(tickets[0])
    polled = [e.delivery_id for e in (await connector.poll(began.watermark)).events if e.kind is Kind.CLOSED]
    again = await walk(system.connect(), messages=True)
    assert polled
    assert again[polled[0]] == 1


async def test_what_the_list_tells_is_not_asked_for_again_and_the_rest_is(system: Installed) -> None:
    tickets = closed(system.fake, 3)
    past = await system.connect().history(LONG_AGO, None, messages=False)
    (first, *_) = past.closures
    assert first.ticket is not None
    filed = {ticket.subject: ticket for ticket in tickets}[first.ticket.subject]
    assert (first.ticket.body, first.ticket.closed, first.ticket.closed_at or filed.closed) == (
        filed.body,
        True,
        filed.closed,
    )
    with_messages = await system.connect().history(LONG_AGO, None, messages=True)
    (first, *_) = with_messages.closures
    assert first.ticket is not None
    assert [message.text for message in first.ticket.messages] == ["tightened"]
    assert first.ticket.messages[0].visibility in (Visibility.STAFF_ONLY, Visibility.PUBLIC, Visibility.UNKNOWN)


@pytest.mark.parametrize("seed", range(2))
async def test_tickets_that_move_in_the_list_while_it_is_read_are_neither_lost_nor_told_twice(seed: int) -> None:
    system, chance = long_ago(installed("redmine")), random.Random(seed)
    fake = system.fake
    tickets = closed(fake, 20)
    for ticket in tickets[5:12]:
        ticket.closed = ticket.updated = tickets[5].updated  # a bulk change: more than a page at one moment
    sought = {f"ticket-{t.id}-closed-{t.closed.isoformat()}" for t in tickets if t.closed}

    def somebody_works() -> None:
        ticket = chance.choice(tickets)
        fake.say(ticket, "thanks again")  # moves to the end of the list
        if chance.random() < 0.3:
            fake.failures = [httpx.Response(429, headers={"retry-after": "1"})]

    told = await walk(
        system.connect(), meanwhile=lambda: somebody_works() if chance.random() < 0.4 else None,
        repeat=lambda: chance.random() < 0.2,
    )  # fmt: skip
    assert sought - told.keys() == set()
    assert told.keys() - sought == set()


async def test_a_desk_that_never_rests_has_an_end_too() -> None:
    system = long_ago(installed("redmine"))
    fake = system.fake
    tickets = closed(fake, 6)

    def somebody_works() -> None:
        fake.clock = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=fake.last)
        fake.say(tickets[fake.last % 6], "thanks again")

    told = await walk(system.connect(), meanwhile=somebody_works)
    assert {f"ticket-{t.id}-closed-{t.closed.isoformat()}" for t in tickets if t.closed} <= told.keys()


async def test_a_reader_that_counts_pages_loses_tickets_that_move() -> None:
    """Control: turning pages of a list in which tickets move leaves some out."""
    fake = long_ago(installed("redmine")).fake
    tickets, rows = closed(fake, 6), set[int]()
    for number in range(3):
        params = httpx.QueryParams({"updated_on": ">=2020-01-01T00:00:00Z", "offset": str(2 * number)})
        answer = fake(httpx.Request("GET", "https://desk.example.test/issues.json", params=params)).json()
        rows.update(row["id"] for row in answer["issues"])
        fake.say(tickets[number], "thanks again")
    assert {ticket.id for ticket in tickets} - rows


async def test_a_limit_in_the_middle_of_a_part_keeps_what_was_read() -> None:
    system = long_ago(installed("redmine"))
    closed(system.fake, 2)
    connector, answers = system.connect(), iter([None, None, httpx.Response(429, headers={"retry-after": "60"})])
    plain = system.fake.__class__.__call__

    class Limited(type(system.fake)):  # type: ignore[misc]
        def __call__(self, request: httpx.Request) -> httpx.Response:
            return next(answers, None) or plain(self, request)

    system.fake.__class__ = Limited
    first = await connector.history(LONG_AGO, None, messages=True)
    assert (len(first.closures), first.complete) == (1, False)
    told = [*first.closures]
    place = first.place
    while not (past := await connector.history(LONG_AGO, place, messages=True)).complete:
        told += past.closures
        place = past.place
    assert len({event.delivery_id for event in told}) == len(told) == 2


async def test_one_ticket_that_is_refused_is_left_out_and_counted_but_all_of_them_are_an_error() -> None:
    system = long_ago(installed("redmine"))
    tickets = closed(system.fake, 4)
    system.fake.tickets[tickets[0].id].subject = None  # type: ignore[assignment]  # its answer makes no sense
    connector = system.connect()
    told, place, refused = [], None, 0
    while True:
        past = await connector.history(LONG_AGO, place, messages=True)
        told += [event.ticket_id for event in past.closures]
        place, refused = past.place, refused + past.refused
        if past.complete:
            break
    assert (refused, sorted(told)) == (1, sorted(str(ticket.id) for ticket in tickets[1:]))


async def test_an_account_that_may_list_but_not_read_gets_an_error_in_words() -> None:
    system = long_ago(installed("freshdesk"))
    closed(system.fake, 8)
    ticket_reading = [route for route in system.fake.routes() if r"(\d+)" in route[1]]
    assert ticket_reading
    listed = system.fake.__class__.__call__

    class Shut(type(system.fake)):  # type: ignore[misc]
        def __call__(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.rstrip("/").rpartition("/")[2].isdigit():
                return httpx.Response(403)
            return listed(self, request)

    system.fake.__class__ = Shut
    with pytest.raises(Permanent, match="lacks the right"):
        await walk(system.connect(), messages=True)


async def test_a_place_that_is_none_is_refused_in_words(system: Installed) -> None:
    with pytest.raises(Permanent, match="place in the history"):
        await system.connect().history(LONG_AGO, "[]", messages=False)


async def test_tickets_closed_before_the_day_are_no_part_of_it(system: Installed) -> None:
    old = closed(system.fake, 2)
    system.fake.clock += timedelta(days=5)
    since = system.fake.clock
    new = closed(system.fake, 2)
    system.fake.say(old[0], "thanks, after all")
    ended = [e.ticket_id for e in (await parts(system.connect(), since))]
    untimed = kind(system.name).manifest.ticket.closed_at is None
    assert sorted(ended) == sorted(system.fake.name(ticket.id) for ticket in [*new, *old[:untimed]])


async def parts(connector: ManifestConnector, since: datetime) -> list[Event]:
    found, place = list[Event](), None
    while not (past := await connector.history(since, place, messages=False)).complete:
        found, place = [*found, *past.closures], past.place
    return [*found, *past.closures]


async def test_a_list_of_what_happened_tells_every_closure_too_if_more_than_once() -> None:
    """What Odoo has without [history]: rows that name their ticket, each of which is read."""
    system = long_ago(installed("odoo"))
    tickets = closed(system.fake, 3)
    system.fake.file("Still open")
    document = {table: value for table, value in document_of("odoo").items() if table != "history"}
    client = httpx.AsyncClient(base_url=f"{system.fake.url}/json/2/", transport=httpx.MockTransport(system.fake))
    connector = ManifestConnector("odoo", "plant", kind_of("events", document).manifest, settings("odoo"), client)
    told = await walk(connector)
    assert told.keys() == {f"ticket-{each.id}-closed-{each.closed.isoformat()}" for each in tickets if each.closed}
