"""What waits for a helpdesk: through an outage, a changed clock, a pause that was asked for, and deaths of its making.

A real server process each time, and a helpdesk that counts what it is asked.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.config.settings import BREAKER_SECONDS, RETRY_SECONDS
from agent.store.inbox import MAX_CRASHES
from connectors.events import Kind
from tests import processes
from tests.proofs.faults.desk_server import Plan
from tests.proofs.faults.http_desk import SECRET
from tests.proofs.faults.mishaps import Fleet
from tests.proofs.faults.storm import Storm, plans_for, serve, storm
from tests.proofs.faults.stub_desk import CALM, StubDesk

pytestmark = pytest.mark.anyio

FASTER = 150
"""An hour of outage takes 24 s: every pause of the shipped settings is divided by this."""

HOUR = 3_600


@asynccontextmanager
async def at_work(folder: Path, desk: StubDesk, tickets: int, **plan: object) -> AsyncIterator[Storm]:
    """Run one server beside the helpdesk, without sending anything."""
    helpdesk, serving = serve(desk)
    chance = random.Random(1)
    fleet = Fleet(folder, plans_for(folder, helpdesk, 1, **plan), chance)
    await fleet.launch(None)
    try:
        yield Storm(tickets, 0, fleet, desk, chance, 0.02)
    finally:
        fleet.end()
        helpdesk.should_exit = True
        await serving


async def idle(it: Storm, seconds: float = 180) -> None:
    async with asyncio.timeout(seconds):
        while await asyncio.to_thread(it.open_events):
            await asyncio.sleep(0.2)


async def outage(folder: Path, **plan: object) -> tuple[Storm, int, float]:
    """Let tickets come during an hour without a helpdesk, and a death in its middle.

    Returns the requests that were sent in vain, and the seconds until all was done after the end.
    """
    desk, tickets = StubDesk(CALM, down=True), [str(n) for n in range(60)]
    waits = {
        "retry_seconds": [s / FASTER for s in RETRY_SECONDS],
        "breaker_seconds": [s / FASTER for s in BREAKER_SECONDS],
    }
    async with at_work(folder, desk, len(tickets), settle_seconds=1, **(waits | plan)) as it:
        began = time.monotonic()
        for number, ticket in enumerate(tickets):
            await it.send([ticket])
            if number == len(tickets) // 2:
                it.fleet.end()
                it.fleet.alive.clear()
                await it.fleet.launch(None)
            await asyncio.sleep(max(0.0, began + (number + 1) * HOUR / FASTER / len(tickets) - time.monotonic()))
        in_vain, desk.down = desk.requests, False
        over = time.monotonic()
        await idle(it)
        return it, in_vain, time.monotonic() - over


@pytest.mark.parametrize(("breaker_failures", "least", "most"), [(5, 5, 80), (0, 180, 10_000)])
async def test_an_hour_without_the_helpdesk_costs_time_only(
    tmp_path: Path, breaker_failures: int, least: int, most: int
) -> None:
    """Without the breaker, the control, nothing is lost either, but the helpdesk is asked many times as often."""
    it, in_vain, _ = await outage(tmp_path, breaker_failures=breaker_failures)
    verdict = it.judge()
    print(f"breaker_failures={breaker_failures} in_vain={in_vain}")
    assert (verdict.damage, verdict.dead) == ((0, 0, 0), [])
    assert least <= in_vain <= most


@pytest.mark.parametrize("turned_unnoticed", [False, True])
async def test_a_clock_that_jumps_by_hours_delays_nothing_and_repeats_nothing(
    tmp_path: Path, turned_unnoticed: bool
) -> None:
    """Control: a server that does not notice leaves for an hour what it was told just before."""
    clock, desk = tmp_path / "clock", StubDesk()

    def turn(ahead: int) -> None:
        clock.with_suffix(".new").write_text(str(ahead))
        clock.with_suffix(".new").replace(clock)

    async def jump() -> None:
        for ahead in (HOUR, 0, -HOUR, 0, HOUR, 0, -HOUR):
            desk.down = True  # so that something waits whenever the clock jumps
            await asyncio.sleep(0.7)
            turn(ahead)
            await asyncio.sleep(0.3)
            desk.down = False
            await asyncio.sleep(0.7)

    turn(0)
    jumping = asyncio.create_task(jump())
    verdict = await storm(
        tmp_path,
        tickets=12,
        corrections=3,
        stub=desk,
        longest_pause=2.0,
        patience=40,
        clock_file=str(clock),
        turned_unnoticed=turned_unnoticed,
    )
    await jumping
    assert (verdict.duplicates, verdict.inversions) == ([], [])
    assert bool(verdict.lost) == turned_unnoticed


async def test_an_event_that_kills_the_process_is_put_aside_and_its_ticket_goes_on(tmp_path: Path) -> None:
    desk = StubDesk(CALM)
    helpdesk, serving = serve(desk)
    (plan,) = plans_for(tmp_path, helpdesk, 1, die_at="read:0")
    fleet = Fleet(tmp_path, [plan], random.Random(1))
    it = Storm(3, 0, fleet, desk, fleet.random, 0.02)
    events = [(Kind.CREATED, n, f"{n}-0", "") for n in "012"] + [(Kind.COMMENTED, "0", "0-1", "no command")]
    deaths = 0
    try:
        process = await _launch(plan, fleet.log)
        await _deliver(plan.port, events)
        while await asyncio.to_thread(it.open_events):
            if process.poll() is not None:
                deaths += 1
                assert deaths <= MAX_CRASHES
                process = await _launch(plan, fleet.log)
            await asyncio.sleep(0.1)
    finally:
        processes.kill(process)
        helpdesk.should_exit = True
        await serving
    assert deaths == MAX_CRASHES < 6
    assert it.ask("SELECT delivery_id || ' ' || state FROM inbox") == {"0-0 dead", "0-1 done", "1-0 done", "2-0 done"}
    assert [len(desk.comments[n]) for n in "012"] == [0, 1, 1]


async def _launch(plan: Plan, log: Path) -> processes.subprocess.Popen[bytes]:
    """Start a server that may die before it listens."""
    process = processes.start("tests.proofs.faults.desk_server", *plan.arguments(), log=log)
    while process.poll() is None and not processes.listening(plan.port):
        await asyncio.sleep(0.1)
    return process


async def _deliver(port: int, events: list[tuple[Kind, str, str, str]]) -> None:
    """Deliver everything, to a server that may die as soon as it has taken in some: all at once."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        url = f"http://127.0.0.1:{port}/hooks/desk/{SECRET}"
        answers = await asyncio.gather(*(client.post(url, content=json.dumps(event)) for event in events))
    assert {answer.status_code for answer in answers} == {202}


@pytest.mark.parametrize("blind", [False, True])
async def test_a_hundred_dead_letters_are_replayed_after_mending(tmp_path: Path, blind: bool) -> None:
    """Half of them died after their comment was stored. Control: blind for our mark, these are said twice."""
    desk, tickets = StubDesk(CALM, no_right=True), [str(n) for n in range(100)]
    async with at_work(tmp_path, desk, len(tickets), blind=blind) as it:
        await asyncio.gather(*(it.send(tickets[n::5]) for n in range(5)))
        await idle(it)
        assert len(it.ask("SELECT seq FROM inbox WHERE state = 'dead'")) == 100
        desk.no_right = False
        (tmp_path / "agent.toml").write_text("")
        command = [
            "queue",
            "retry",
            "--all",
            "--config",
            str(tmp_path / "agent.toml"),
            "--data",
            it.fleet.plans[0].data,
        ]
        done = await asyncio.to_thread(CliRunner().invoke, app, command)
        assert "100 put back" in done.output
        await idle(it)
        verdict = it.judge()
    assert (verdict.lost, verdict.dead) == ([], [])
    assert sum(map(len, desk.comments.values())) == (150 if blind else 100)


async def waits(folder: Path, tickets: int, **plan: object) -> StubDesk:
    """Let the helpdesk ask for a pause once for every ticket."""
    desk, names = StubDesk(CALM, asks_to_wait=True), [str(n) for n in range(tickets)]
    async with at_work(folder, desk, tickets, **plan) as it:
        await asyncio.gather(*(it.send(names[n::5]) for n in range(5)))
        await idle(it, 600)
        assert it.judge().damage == (0, 0, 0)
    assert len(desk.lateness) == tickets
    return desk


async def test_no_request_comes_before_the_end_of_a_pause_that_was_asked_for(tmp_path: Path) -> None:
    """In seconds and as a date, by turns. With the breaker, one such answer is a pause for all."""
    desk = await waits(tmp_path, 6)
    assert desk.too_early == 0


async def test_a_thousand_pauses_are_kept_and_do_not_end_together(tmp_path: Path) -> None:
    """Each for itself: the breaker is off, or a thousand pauses would be kept one after the other."""
    desk = await waits(tmp_path, 1_000, breaker_failures=0)
    print(f"too_early={desk.too_early} lateness={min(desk.lateness):.3f}..{max(desk.lateness):.3f}")
    assert desk.too_early == 0
    assert max(desk.lateness) - min(desk.lateness) > 0.05
