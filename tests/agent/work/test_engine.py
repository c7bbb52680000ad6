"""The engine works tickets side by side and each ticket in order, through failures, crashes and restarts."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select
from structlog.testing import capture_logs

from agent.config.settings import RETRY_SECONDS as PAUSES
from agent.metrics import Metrics
from agent.notes.speak import Unsettled
from agent.store import dead_letters, inbox
from agent.store.arrivals import Arrival, accept
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import Inbox, utcnow
from agent.work.attempt import Attempts, Breakers, Handler
from agent.work.engine import Engine
from agent.work.retry import MAX_RETRY_AFTER, pause
from connectors.errors import Permanent, Transient
from connectors.events import Event, Kind
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open_file(tmp_path / "db.sqlite3")
    yield database
    database.close()


def put(database: Database, *events: tuple[str, str]) -> None:
    """Accept events given as (ticket, delivery id)."""
    arrivals = [Arrival("desk", Event(Kind.COMMENTED, t, d), b"", utcnow()) for t, d in events]
    assert all(database.call(accept, arrivals))


def states(database: Database) -> dict[str, str]:
    return {r.delivery_id: r.state for r in database.call(lambda s: s.exec(select(Inbox)).all())}


@asynccontextmanager
async def working(database: Database, handler: Handler):
    attempts = Attempts(database, handler, Metrics(), Breakers(Metrics(), ["desk"]), random=Random(1))
    engine = Engine(database, attempts, asyncio.Event(), concurrency=4)
    task = asyncio.create_task(engine.run())
    yield engine
    engine.stop()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await task


async def test_events_of_one_ticket_are_handled_in_order_while_others_go_on(database: Database) -> None:
    put(database, ("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"))
    gate, seen = asyncio.Event(), []

    async def handler(job: Job) -> None:
        if job.event.delivery_id == "a1":
            await gate.wait()
        seen.append(job.event.delivery_id)

    async with working(database, handler):
        await until(lambda: "b1" in seen)
        assert seen == ["b1"]
        gate.set()
        await until(lambda: len(seen) == 4)
    assert seen == ["b1", "a1", "a2", "a3"]


async def test_a_ticket_that_waits_for_its_retry_holds_up_only_itself(database: Database) -> None:
    put(database, ("sick", "s1"), ("sick", "s2"), *[(f"well{n}", f"w{n}") for n in range(10)])
    seen = []

    async def handler(job: Job) -> None:
        if job.event.ticket_id == "sick":
            raise Transient("down", retry_after=600)
        seen.append(job.event.delivery_id)

    async with working(database, handler):
        await until(lambda: len(seen) == 10)
    assert states(database) | {"s1": "?", "s2": "?"} == {"s1": "?", "s2": "?"} | {f"w{n}": "done" for n in range(10)}
    assert states(database)["s1"] == states(database)["s2"] == "waiting"


async def test_a_dead_letter_lets_the_next_event_of_its_ticket_go_on_and_can_be_replayed(database: Database) -> None:
    put(database, ("a", "a1"), ("a", "a2"))
    healed = False

    async def handler(job: Job) -> None:
        if job.event.delivery_id == "a1" and not healed:
            raise Permanent("no right")

    async with working(database, handler):
        await until(lambda: states(database) == {"a1": "dead", "a2": "done"})
        healed = True
        assert database.call(dead_letters.retry, 1, utcnow())
        await until(lambda: states(database) == {"a1": "done", "a2": "done"})


async def test_waiting_for_a_comment_that_may_still_arrive_uses_up_no_attempt(database: Database) -> None:
    put(database, ("a", "a1"))
    attempts = []

    async def handler(job: Job) -> None:
        attempts.append(job.attempt)
        if len(attempts) < 4:
            raise Unsettled(0.05)

    async with working(database, handler):
        await until(lambda: states(database) == {"a1": "done"})
    assert attempts == [1, 1, 1, 1]


async def test_a_fault_of_ours_is_tried_again_and_does_not_stop_the_engine(database: Database) -> None:
    put(database, ("a", "a1"), ("b", "b1"))
    seen = []

    async def handler(job: Job) -> None:
        if job.event.ticket_id == "a":
            raise ZeroDivisionError("ours")
        seen.append(job.event.delivery_id)

    async with working(database, handler):
        await until(lambda: states(database) == {"a1": "waiting", "b1": "done"} and seen == ["b1"])
    (row,) = database.call(lambda s: s.exec(select(Inbox).where(Inbox.delivery_id == "a1")).all())
    assert row.error == "ZeroDivisionError: ours"


async def test_what_a_dead_process_left_behind_is_taken_up_again(database: Database) -> None:
    put(database, ("a", "a1"))
    assert database.call(inbox.claim, 1, utcnow())

    async def handler(job: Job) -> None:
        assert job.attempt == 2

    async with working(database, handler):
        await until(lambda: states(database) == {"a1": "done"})


def test_an_event_that_keeps_killing_the_process_becomes_a_dead_letter(database: Database) -> None:
    put(database, ("a", "a1"), ("a", "a2"))
    for _ in range(inbox.MAX_CRASHES):
        (job,) = database.call(inbox.claim, 9, utcnow())
        assert job.event.delivery_id == "a1"
        database.call(inbox.recover, utcnow())
    assert states(database) == {"a1": "dead", "a2": "waiting"}
    (job,) = database.call(inbox.claim, 9, utcnow())
    assert job.event.delivery_id == "a2"


def test_a_letter_replayed_while_a_dead_process_held_a_later_event_goes_first_and_alone(database: Database) -> None:
    put(database, ("a", "a1"), ("a", "a2"))
    (first,) = database.call(inbox.claim, 9, utcnow())
    database.call(inbox.bury, first, "no right", utcnow())
    (second,) = database.call(inbox.claim, 9, utcnow())
    assert database.call(dead_letters.retry, first.seq, utcnow())
    database.call(inbox.recover, utcnow())
    for expected in (first, second):
        (job,) = database.call(inbox.claim, 9, utcnow())
        assert job.event == expected.event
        database.call(inbox.finish, job, utcnow())


async def test_stopping_finishes_the_work_in_hand(database: Database) -> None:
    put(database, ("a", "a1"), ("b", "b1"))
    begun, gate = asyncio.Event(), asyncio.Event()

    async def handler(job: Job) -> None:
        begun.set()
        await gate.wait()

    async with working(database, handler) as engine:
        await begun.wait()
        engine.stop()
        gate.set()
    assert "working" not in states(database).values()


async def test_work_that_does_not_end_is_put_back_without_counting(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while a helpdesk does not answer: the next start tries it again at once."""
    monkeypatch.setattr("agent.work.engine.FINISH_SECONDS", 0.05)
    put(database, ("a", "a1"))
    begun = asyncio.Event()

    async def handler(job: Job) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with working(database, handler):
        await begun.wait()
    [row] = database.call(lambda s: s.exec(select(Inbox)).all())
    assert (row.state, row.attempts, row.crashes) == ("waiting", 0, 0)
    assert row.due_at <= utcnow()


@pytest.mark.parametrize("attempt", range(1, len(PAUSES) + 1))
def test_pauses_grow_with_jitter(attempt: int) -> None:
    waits = {pause(attempt, None, Random(seed)) for seed in range(50)}
    assert len(waits) > 40
    assert all(timedelta(seconds=PAUSES[attempt - 1] / 2) <= w <= timedelta(seconds=PAUSES[attempt - 1]) for w in waits)


def test_retry_after_is_never_undercut_and_capped() -> None:
    for seed in range(100):
        assert pause(1, 120, Random(seed)) >= timedelta(seconds=120)
        assert pause(1, 10**9, Random(seed)) <= timedelta(seconds=MAX_RETRY_AFTER + 5)


def test_the_last_attempt_has_no_next() -> None:
    assert pause(len(PAUSES) + 1, None, Random(0)) is None


async def test_a_locked_database_delays_work_and_outcomes_but_loses_nothing(tmp_path: Path) -> None:
    Database.open_file(tmp_path / "db.sqlite3").close()
    database = Database(f"sqlite:///{tmp_path / 'db.sqlite3'}", busy_seconds=0.05)
    put(database, ("a", "a1"))
    other = sqlite3.connect(tmp_path / "db.sqlite3", isolation_level=None)
    seen = []

    async def handler(job: Job) -> None:
        if not seen:
            other.execute("BEGIN IMMEDIATE")  # from now on nobody else can write
        seen.append(job.attempt)

    with capture_logs() as logs:
        async with working(database, handler):
            await until(lambda: seen)
            with pytest.raises(OperationalError, match="locked"):
                put(database, ("b", "b1"))
            await until(lambda: any(line["event"] == "outcome_not_kept" for line in logs))
            other.execute("COMMIT")
            await until(lambda: states(database) == {"a1": "done"})
    other.close()
    database.close()
    assert seen == [1, 2]
