"""The history of a list that begins with the newest change, or is in no order: nothing is lost, whatever moves."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.errors import Permanent
from connectors.manifest import rounds
from connectors.manifest.catalogue import document_of, kind_of
from connectors.manifest.connector import ManifestConnector
from tests.connectors.history import LONG_AGO, walk
from tests.connectors.systems.fake import Ticket
from tests.connectors.systems.installed import settings
from tests.connectors.systems.trackers import Redmine

pytestmark = pytest.mark.anyio


class Down(Redmine):
    """The list begins with the newest change, and knows no day to begin at."""

    def changed(self, since: str | None, form: str = "") -> list[Ticket]:
        return sorted(self.tickets.values(), key=lambda ticket: ticket.updated, reverse=True)


class Pinned(Down):
    """Above the newest change stands the ticket that changed first."""

    def changed(self, since: str | None, form: str = "") -> list[Ticket]:
        *newest, oldest = super().changed(since)
        return [oldest, *newest]


class Deaf(Redmine):
    """Any page is the first one."""

    def list(self, request: httpx.Request) -> Any:
        return super().list(httpx.Request("GET", request.url.copy_remove_param("offset")))


class Mixed(Redmine):
    """The list is in the order of subjects."""

    def changed(self, since: str | None, form: str = "%Y-%m-%dT%H:%M:%SZ") -> list[Ticket]:
        return sorted(super().changed(since, form), key=lambda ticket: ticket.subject)


class Moving(Redmine):
    """The list is in no order that stays: a ticket that changes moves to its front."""

    def changed(self, since: str | None, form: str = "%Y-%m-%dT%H:%M:%SZ") -> list[Ticket]:
        return super().changed(since, form)[::-1]


def connect(fake: Redmine, **more: Any) -> ManifestConnector:
    document = document_of("redmine")
    document["poll"] |= {"newest_first": True} if isinstance(fake, Down) else {"unordered": True}
    document["poll"] |= more
    client = httpx.AsyncClient(base_url=fake.url, transport=httpx.MockTransport(fake))
    return ManifestConnector("redmine", "plant", kind_of("rounds", document).manifest, settings("redmine"), client)


def closed(fake: Redmine, number: int) -> list[Ticket]:
    fake.clock = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
    tickets = [fake.file(f"Pump {n * 7 % 10} leaks") for n in range(number)]
    for ticket in tickets:
        fake.close(ticket)
    fake.file("Still open")
    fake.clock = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    return tickets


def names(tickets: Sequence[Ticket]) -> set[str]:
    return {f"ticket-{ticket.id}-closed-{ticket.closed.isoformat()}" for ticket in tickets if ticket.closed}


@pytest.mark.parametrize("system", [Down, Mixed, Moving])
async def test_a_desk_at_rest_tells_each_closure_once(system: type[Redmine]) -> None:
    fake = system()
    tickets = closed(fake, 9)
    assert await walk(connect(fake), messages=True) == dict.fromkeys(names(tickets), 1)


async def test_a_list_that_begins_with_the_newest_is_read_down_to_the_day_and_no_further() -> None:
    fake = Down()
    tickets, day = closed(fake, 9), datetime.now(UTC).replace(microsecond=0) - timedelta(days=5)
    fake.clock = day + timedelta(hours=1)
    new = fake.file("Pump 8 leaks")
    fake.close(new)
    fake.say(tickets[0], "thanks, after all")
    asked = len(fake.requests)
    assert await walk(connect(fake), since=day) == dict.fromkeys(names([new]), 1)
    assert len(fake.requests) - asked <= 4, "not the pages below the day"


async def test_an_old_ticket_that_is_pinned_to_the_top_does_not_end_the_list() -> None:
    fake = Pinned()
    tickets = closed(fake, 9)
    day = min(ticket.updated for ticket in tickets) + timedelta(seconds=1)
    told = await walk(connect(fake), since=day)
    assert told.keys() == names([ticket for ticket in tickets if ticket.closed and ticket.closed >= day])


@pytest.mark.parametrize("system", [Down, Mixed, Moving])
@pytest.mark.parametrize("seed", range(2))
async def test_tickets_that_move_while_the_list_is_read_are_not_lost(system: type[Redmine], seed: int) -> None:
    fake, chance = system(), random.Random(seed)
    tickets = closed(fake, 12)

    def somebody_works() -> None:
        fake.say(chance.choice(tickets), "thanks again")

    told = await walk(
        connect(fake), meanwhile=lambda: somebody_works() if chance.random() < 0.5 else None,
        repeat=lambda: chance.random() < 0.2,
    )  # fmt: skip
    assert told.keys() == names(tickets)


async def test_one_round_alone_loses_a_ticket_that_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the rounds behind the first are what finds it."""
    for most, lost in ((0, 1), (rounds.ROUNDS, 0)):
        monkeypatch.setattr(rounds, "ROUNDS", most)
        fake = Moving()
        tickets = closed(fake, 6)
        moving = iter([[], tickets[:1]])  # once the page that it moves to was read for the last time
        told = await walk(connect(fake), meanwhile=lambda f=fake, m=moving: [f.say(t, "thanks") for t in next(m, [])])  # type: ignore[misc]
        assert len(names(tickets) - told.keys()) == lost


class Sinking(Redmine):
    """A ticket that changes moves to the end of the list."""


@pytest.mark.parametrize("system", [Sinking, Mixed, Down])
async def test_a_ticket_that_moves_up_where_another_left_its_page_is_not_lost(
    system: type[Redmine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the control: the page before, read once more, is what finds it."""
    for guarded in (True, False):
        fake = system()
        tickets = closed(fake, 8)
        front = fake.changed("2000-01-01T00:00:00Z")[0]
        leaving = iter([front])

        def leave(fake: Redmine = fake, leaving: Iterator[Ticket] = leaving) -> None:
            for ticket in leaving:
                if isinstance(fake, Sinking):
                    fake.say(ticket, "thanks")
                else:
                    del fake.tickets[ticket.id]

        if not guarded:
            monkeypatch.setattr(rounds, "page_before", nothing)
        told = await walk(connect(fake), meanwhile=leave)
        lost = names([ticket for ticket in tickets if ticket.id in fake.tickets]) - told.keys()
        assert len(lost) == (0 if guarded else 1)


async def nothing(*_: Any) -> list[Any]:
    return []


async def test_a_desk_that_never_rests_has_an_end_too() -> None:
    fake = Moving()
    tickets = closed(fake, 6)

    def somebody_works() -> None:
        fake.clock = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=fake.last)
        fake.say(tickets[fake.last % 6], "thanks again")

    assert (await walk(connect(fake), meanwhile=somebody_works)).keys() == names(tickets)


@pytest.mark.parametrize("ordered", [False, True])
async def test_a_list_that_answers_the_same_page_for_ever_is_told(ordered: bool) -> None:
    fake = Deaf()
    for ticket in closed(fake, 9):
        ticket.updated = fake.tickets[101].updated  # at one moment, for which pages of a list in order are turned
    with pytest.raises(Permanent, match="answers the same page again and again"):
        await walk(connect(fake, unordered=not ordered))
    assert len(fake.requests) < 10


async def test_a_place_that_is_none_is_refused_and_a_list_that_ends_at_its_limit_tells_no_history() -> None:
    with pytest.raises(Permanent, match="place in the history"):
        await connect(Moving()).history(LONG_AGO, "[]", messages=False)
    cut = connect(Down(), page={"by": "limit"})
    assert not cut.capabilities.lists_history
