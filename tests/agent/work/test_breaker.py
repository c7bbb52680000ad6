"""A system that is down is left alone: one probe now and then, no attempt used up, and others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlmodel import select, update

from agent.core import Parts
from agent.metrics import Metrics
from agent.store import inbox
from agent.store.arrivals import Arrival, accept
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import Inbox, utcnow
from agent.work.attempt import Attempts, Breaker, Breakers
from agent.work.engines import make_engine
from connectors.base import Poll
from connectors.errors import Ambiguous, ConnectorError, Permanent, TicketNotFound, Transient
from connectors.events import Event, Kind, Ticket
from tests.desk import Desk
from tests.patience import until
from tests.serving_app import running

pytestmark = pytest.mark.anyio
PAUSES = (10.0, 20.0, 40.0)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("desk", Metrics(), 3, PAUSES, Random(1), clock)


async def call(breaker: Breaker, *outcomes: ConnectorError | None) -> None:
    async def system(outcome: ConnectorError | None) -> None:
        if outcome is not None:
            raise outcome

    for outcome in outcomes:
        try:
            with breaker.call():
                await system(outcome)
        except ConnectorError as error:
            if error is not outcome:
                raise


def is_open(breaker: Breaker) -> bool:
    return breaker.metrics.registry.get_sample_value("rolecall_breaker_open", {"source": "desk"}) == 1


DOWN = Transient("down")


async def test_failures_in_a_row_open_it_and_they_grow_the_pause(breaker: Breaker, clock: Clock) -> None:
    await call(breaker, DOWN, Ambiguous("500"))
    assert breaker.wait() is None
    await call(breaker, DOWN)
    assert is_open(breaker)
    for longest in (*PAUSES, PAUSES[-1]):
        wait = breaker.wait()
        assert wait is not None
        assert longest / 2 <= wait <= longest
        clock.now += wait
        with breaker.passage() as probe:
            assert probe is None
            await call(breaker, DOWN)


@pytest.mark.parametrize("answer", [None, TicketNotFound("404"), Permanent("403")])
async def test_any_answer_in_between_begins_the_count_anew(breaker: Breaker, answer: ConnectorError | None) -> None:
    await call(breaker, DOWN, DOWN, answer, DOWN, DOWN)
    assert breaker.wait() is None


async def test_one_probe_passes_and_its_answer_closes_it(breaker: Breaker, clock: Clock) -> None:
    await call(breaker, DOWN, DOWN, DOWN)
    clock.now += PAUSES[0]
    with breaker.passage() as probe, breaker.passage() as other:
        assert (probe, other is None) == (None, False)
        await call(breaker, None)
    assert breaker.wait() is None
    assert not is_open(breaker)


async def test_a_probe_that_asks_nothing_proves_nothing_and_makes_way_for_the_next(
    breaker: Breaker, clock: Clock
) -> None:
    await call(breaker, DOWN, DOWN, DOWN)
    clock.now += PAUSES[0]
    for _ in range(2):
        with breaker.passage() as probe:
            assert probe is None
    assert is_open(breaker)


async def test_one_retry_after_holds_for_the_whole_system(breaker: Breaker, clock: Clock) -> None:
    await call(breaker, Transient("429", retry_after=600))
    wait = breaker.wait()
    assert wait is not None
    assert 600 <= wait <= 605
    await call(breaker, None, DOWN)  # what was under way answers: the wish stands
    assert breaker.wait() == wait


async def test_what_was_under_way_when_it_opened_does_not_lengthen_the_pause(breaker: Breaker, clock: Clock) -> None:
    await call(breaker, DOWN, DOWN, DOWN)
    wait = breaker.wait()
    await call(breaker, DOWN, DOWN, DOWN, DOWN)
    assert breaker.wait() == wait


async def test_switched_off_it_never_opens() -> None:
    breaker = Breaker("desk", Metrics(), failures=0)
    await call(breaker, *[Transient("429", retry_after=600)] * 50)
    assert breaker.wait() is None


async def test_events_of_a_system_that_is_down_wait_untried_in_order_and_others_go_on(database: Database) -> None:
    tickets, order = range(12), ("first", "second")
    told = [Event(Kind.COMMENTED, str(t), f"{n}-{t}") for n in order for t in tickets]
    database.call(accept, [Arrival("sick", event, b"", utcnow()) for event in told])
    breakers = Breakers(Metrics(), ["sick", "well"], pauses=(0.2,))
    healthy, seen, calls = False, [], 0

    async def ask() -> None:
        nonlocal calls
        calls += 1
        if not healthy:
            raise Transient("down")

    async def handler(job: Job) -> None:
        if job.source == "sick":
            with breakers["sick"].call():
                await ask()
        seen.append(f"{job.source} {job.event.delivery_id}")

    for_ever = (0.05,) * 100_000  # no event is set aside, however long this takes
    attempts = Attempts(database, handler, Metrics(), breakers, pauses=for_ever)
    wake = asyncio.Event()
    engine = make_engine(database, attempts, wake, concurrency=4)
    task = asyncio.create_task(engine.run())
    try:
        await until(lambda: calls >= 8)
        database.call(accept, [Arrival("well", Event(Kind.COMMENTED, "1", "w"), b"", utcnow())])
        wake.set()
        await until(lambda: seen)
        spent = sum(row.attempts for row in database.call(lambda s: s.exec(select(Inbox)).all())) - 1
        assert seen == ["well w"]
        assert abs(spent - calls) <= 4  # those in hand: whatever was not sent was not counted either
        healthy = True
        await until(lambda: len(seen) > len(told))
    finally:
        engine.stop()
        await task
    for ticket in tickets:
        assert seen.index(f"sick first-{ticket}") < seen.index(f"sick second-{ticket}")


class SilentDesk(Desk):
    """Answers nothing for a while."""

    down = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def read_ticket(self, ticket_id: str) -> Ticket:
        self.asked.append(ticket_id)
        if self.down:
            raise Transient("no answer")
        return await super().read_ticket(ticket_id)

    async def poll(self, watermark: str | None, *_: object) -> Poll:
        raise Transient("no answer")


@pytest.mark.parametrize("failures", [3, 0])
async def test_after_an_outage_the_whole_server_catches_up(parts_for: Callable[..., Parts], failures: int) -> None:
    """With a breaker a few ask, one at a time; without, the control, every event does, again and again."""
    work = {
        "concurrency": 4,
        "settle_seconds": 0.2,
        "breaker_failures": failures,
        "breaker_seconds": (0.2,),
        "retry_seconds": (0.05,) * 90,
    }
    parts, desk = parts_for(work=work, triage={"silent_below": 0.2}), SilentDesk()
    async with running(parts, desk) as server:
        await server.deliver(*[desk.create("VPN is down") for _ in range(30)])
        if failures:
            await until(lambda: len(desk.asked) >= 10)
            assert len(desk.asked) <= 12
            assert len(set(desk.asked)) <= 12
        else:
            await until(lambda: set(desk.asked) == set(desk.tickets) and len(desk.asked) >= 60)
        desk.down = False
        await server.idle()
    assert [len(desk.comments(number)) for number in desk.tickets] == [1] * 30


def test_events_of_a_closed_system_do_not_stand_before_others(tmp_path: Path) -> None:
    database, now = Database.open_file(tmp_path / "db.sqlite3"), utcnow()
    told = [("sick", n) for n in range(2_500)] + [("well", 1)]
    database.call(accept, [Arrival(source, Event(Kind.CREATED, str(n), str(n)), b"", now) for source, n in told])
    later = utcnow() + timedelta(minutes=1)
    for waiting in (1_500, 500, 0):
        (job,) = database.call(inbox.claim, 4, utcnow(), {"sick": later})
        assert job.source == "well"
        database.call(inbox.put_off, job, now)
        assert database.call(lambda s: len(inbox.claim(s, 9_999, utcnow()))) - 1 == waiting
        database.call(lambda s: s.execute(update(Inbox).values(state="waiting")))
    database.close()
