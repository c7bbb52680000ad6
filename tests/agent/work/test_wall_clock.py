"""Somebody turns the clock: what waits is never late, and nothing is looked for before it must have arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from sqlmodel import select

from agent.core import Parts
from agent.desk.created import await_head_start
from agent.metrics import Metrics
from agent.notes import speak
from agent.notes.speak import Speaker
from agent.store import clock_step, comments, inbox
from agent.store.arrivals import Arrival, accept
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import Inbox, utcnow
from agent.work.attempt import Attempts, Breakers
from agent.work.engine import Engine
from agent.work.wall_clock import WallClock
from connectors.errors import Ambiguous, Transient
from connectors.events import Event, Kind
from tests.desk import Desk, note
from tests.patience import until

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def database(parts: Parts) -> Database:
    return parts.database


def put(database: Database, at: datetime, *deliveries: str) -> None:
    events = [Event(Kind.COMMENTED, name[0], name) for name in deliveries]
    assert all(database.call(accept, [Arrival("desk", event, b"", at) for event in events]))


@pytest.mark.parametrize(
    ("wall", "steady", "back"),
    [(5.0, 5.0, 0.0), (5.0, 5.9, 0.0), (-3_595.0, 5.0, 3_600.0), (3_605.0, 5.0, 0.0)],
)
def test_only_a_clock_that_was_set_back_is_reported(wall: float, steady: float, back: float) -> None:
    walls, steadies = iter([NOON, NOON + timedelta(seconds=wall)]), iter([100.0, 100.0 + steady])
    clock = WallClock(lambda: next(walls), lambda: next(steadies))
    assert clock.stepped_back() == timedelta(seconds=back)


def test_what_waits_is_brought_forward_and_turns_stay(database: Database) -> None:
    put(database, NOON, "a1", "a2", "b1")
    database.call(clock_step.bring_forward, HOUR)
    rows = {row.delivery_id: row for row in database.call(lambda s: s.exec(select(Inbox)).all())}
    assert {name: row.due_at for name, row in rows.items()} == {"a1": NOON - HOUR, "a2": inbox.NEVER, "b1": NOON - HOUR}
    (job, _) = database.call(inbox.claim, 9, NOON - HOUR)
    database.call(inbox.finish, job, NOON)
    assert database.call(inbox.next_due) == NOON - HOUR


async def test_a_server_that_starts_after_the_clock_was_set_back_waits_for_nothing(database: Database) -> None:
    put(database, utcnow() + HOUR, "a1", "a2", "b1")
    seen = []

    async def handler(job: Job) -> None:
        seen.append(job.event.delivery_id)

    engine = Engine(database, Attempts(database, handler, Metrics(), Breakers(Metrics(), ["desk"])), asyncio.Event(), 4)
    task = asyncio.create_task(engine.run())
    await until(lambda: len(seen) == 3)
    engine.stop()
    await task
    assert seen.index("a1") < seen.index("a2")


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_a_late_comment_is_waited_for_whatever_the_clock_says(
    parts_for: Callable[..., Parts], desk: Desk, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row says an hour ago, or in an hour: the request may have left just now."""
    steady, settle = count(100.0, 1.0), timedelta(seconds=30)
    monkeypatch.setattr(speak, "time", SimpleNamespace(monotonic=lambda: next(steady)))
    desk.create("VPN is down")
    speaker = Speaker(parts_for().database, b"key", settle)
    desk.faults = [Ambiguous("no answer")]
    with pytest.raises(Ambiguous):
        await speaker.say(desk, desk.tickets["1"], note("Network"))
    speaker.database.call(comments.attempt, "desk:1", utcnow() - jump)
    for again in (speaker, Speaker(speaker.database, b"key", settle)):
        with pytest.raises(Transient, match="under way") as refusal:
            await again.say(desk, desk.tickets["1"], note("Network"))
        assert refusal.value.retry_after is not None
        assert 0 < refusal.value.retry_after <= 30
    steady = count(200.0, 1.0)
    await speaker.say(desk, desk.tickets["1"], note("Network"))
    assert desk.posts == 1


@pytest.mark.parametrize(("turned", "wait"), [(timedelta(0), 300), (-HOUR, 300), (HOUR, None)])
def test_a_head_start_is_waited_for_once_and_never_longer_than_it_lasts(turned: timedelta, wait: float | None) -> None:
    head_start, event = timedelta(minutes=5), Event(Kind.CREATED, "1", "d")
    if wait is None:
        await_head_start(Job(1, "desk", event, 1, NOON), head_start, NOON + turned)
    else:
        with pytest.raises(Transient) as refusal:
            await_head_start(Job(1, "desk", event, 1, NOON), head_start, NOON + turned)
        assert refusal.value.retry_after == wait
    await_head_start(Job(1, "desk", event, 2, NOON), head_start, NOON + turned)
