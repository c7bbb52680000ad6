"""Kill a working server again and again while its helpdesk misbehaves, then look what became of every event.

Each ticket is filed and then corrected by staff several times, each time to another role: our comment has to follow,
so the texts that the helpdesk was given show losses, repetitions and wrong order.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import httpx
import uvicorn
from sqlalchemy import create_engine

from connectors.events import Kind
from tests import processes
from tests.postgres import Postgres
from tests.proofs.faults.desk_server import Plan
from tests.proofs.faults.http_desk import SECRET
from tests.proofs.faults.mishaps import Fleet
from tests.proofs.faults.stub_desk import StubDesk

ROLES = ("Network", "Electrician", "Carpentry & Fittings", "Plumbing & HVAC", "Locksmith & Security")
SENDERS = 8
SENT_AGAIN = 0.05
PATIENCE_SECONDS = 120
"""For the next event to end; for all to be delivered, one more for each ticket."""


@dataclass
class Verdict:
    """What a storm did. `kills` counts deaths of the server in the middle of its work, `answers` those to deliveries.

    `recoveries` holds the seconds from each return of the database to the next acknowledgement.
    """

    kills: int = 0
    acknowledged: int = 0
    suspensions: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    inversions: list[str] = field(default_factory=list)

    @property
    def damage(self) -> tuple[int, int, int]:
        return len(self.lost), len(self.duplicates), len(self.inversions)


@dataclass
class Storm:
    """One installation, one helpdesk, and a queue of deliveries for each ticket."""

    tickets: int
    corrections: int
    fleet: Fleet
    stub: StubDesk
    random: random.Random
    longest_pause: float
    acknowledged: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    acknowledgements: list[float] = field(default_factory=list)
    """When they came, by the monotonic clock."""

    def deliveries(self, ticket: str) -> list[bytes]:
        events = [(Kind.CREATED, ticket, f"{ticket}-0", "")]
        events += [
            (Kind.COMMENTED, ticket, f"{ticket}-{n}", f"/role {ROLES[n % len(ROLES)]}")
            for n in range(1, self.corrections + 1)
        ]
        return [json.dumps(event).encode() for event in events]

    async def send(self, tickets: Sequence[str]) -> None:
        """Deliver every ticket's events in order, each until it is acknowledged and some once more."""
        queues = {ticket: self.deliveries(ticket) for ticket in tickets}
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while queues:
                ticket = self.random.choice(list(queues))
                body = queues[ticket][0]
                try:
                    port = self.fleet.address()
                    answer = await client.post(f"http://127.0.0.1:{port}/hooks/desk/{SECRET}", content=body)
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
                    continue
                self.answers[answer.status_code] += 1
                if answer.status_code not in (200, 202):
                    await asyncio.sleep(0.05)
                    continue
                self.acknowledgements.append(time.monotonic())
                self.acknowledged.add(json.loads(body)[2])
                if self.random.random() >= SENT_AGAIN:
                    queues[ticket].pop(0)
                    if not queues[ticket]:
                        del queues[ticket]
                await asyncio.sleep(self.random.uniform(0, self.longest_pause))

    def ask(self, sql: str) -> set[str]:
        engine = create_engine(self.fleet.plans[0].store)
        with engine.connect() as connection:
            found = {str(value) for (value,) in connection.exec_driver_sql(sql)}
        engine.dispose()
        return found

    def open_events(self) -> set[str]:
        return self.ask("SELECT delivery_id FROM inbox WHERE state IN ('waiting', 'working')")

    def judge(self) -> Verdict:
        verdict = Verdict(self.fleet.kills, len(self.acknowledged), self.fleet.suspensions, self.answers)
        for at in self.fleet.returns:
            later = [then - at for then in self.acknowledgements if then > at]
            verdict.recoveries += [min(later)] if later else []
        done = self.ask("SELECT delivery_id FROM inbox WHERE state = 'done'")
        reviewed = {name.split(":")[0] for name in self.ask("SELECT origin FROM review")}
        verdict.dead = sorted(self.ask("SELECT delivery_id FROM inbox WHERE state = 'dead'"))
        verdict.lost = sorted(
            name for name in self.acknowledged if name not in done or (not name.endswith("-0") and name not in reviewed)
        )
        last = ROLES[self.corrections % len(ROLES)]
        for ticket in map(str, range(self.tickets)):
            comments = self.stub.comments[ticket]
            if len(comments) > 1:
                verdict.duplicates += [ticket] * (len(comments) - 1)
            wanted = f"**Role: {last}**" if self.corrections else "Network"
            if not any(wanted in text for text in comments.values()):
                verdict.lost.append(f"{ticket}: the comment does not say {last}")
            verdict.inversions += [ticket] * _inversions(self.stub.history[ticket])
        return verdict


def _inversions(texts: Sequence[str]) -> int:
    """Count the steps back: corrections go round the roles, one at a time; a repetition is no step."""
    steps = [
        number
        for text in texts
        for number, role in enumerate(ROLES)
        if f"**Role: {role}** (said by staff" in text or f"**Role: {role}** (confirmed" in text
    ]
    return sum((after - before) % len(ROLES) > 1 for before, after in pairwise(steps))


def serve(desk: StubDesk) -> tuple[uvicorn.Server, asyncio.Task[None]]:
    """Start the helpdesk in this process; it ends when `should_exit` is set."""
    config = uvicorn.Config(
        desk.app(), port=processes.free_port(), log_config=None, lifespan="off", log_level="critical"
    )
    server = uvicorn.Server(config)
    return server, asyncio.create_task(server.serve())


def plans_for(folder: Path, helpdesk: uvicorn.Server, replicas: int, **plan: object) -> list[Plan]:
    """Return the plans of servers that share everything but their data directory and port."""
    url = f"http://127.0.0.1:{helpdesk.config.port}/"
    base = replace(Plan(str(folder / "data"), processes.free_port(), url), **plan)  # type: ignore[arg-type]
    others = [
        replace(base, data=str(folder / f"data-{n}"), port=processes.free_port(), stop_at="")
        for n in range(1, replicas)
    ]
    return [base, *others]


async def storm(
    folder: Path,
    *,
    tickets: int,
    corrections: int = 4,
    lives: Sequence[str | None] = (),
    seed: int = 1,
    stub: StubDesk | None = None,
    prepare: Callable[[Path], None] | None = None,
    until_over: bool = False,
    replicas: int = 1,
    postgres: Postgres | None = None,
    patience: float | None = None,
    longest_pause: float = 0.02,
    clocks: Sequence[float] = (),
    **plan: object,
) -> Verdict:
    """Let it rage and return the verdict. `lives` names each death or other mishap, None is a death at random.

    With several replicas, `plan` holds for all and `stop_at` for the first, `clocks` are
    how far the clocks are ahead; `prepare` gets the database file before the
    storm. With `until_over`, mishaps end when all was delivered. What is open when nothing has ended for `patience`
    seconds counts as lost: how long all of it takes is the machine's business.
    """
    desk = stub or StubDesk()
    helpdesk, serving = serve(desk)
    plans = plans_for(folder, helpdesk, replicas, **plan)
    base = plans[0]
    for number, seconds in enumerate(clocks):
        plans[number] = replace(plans[number], clock_seconds=seconds)
    chance = random.Random(seed)
    fleet = Fleet(folder, plans, chance, postgres)
    it = Storm(tickets, corrections, fleet, desk, chance, longest_pause)
    if prepare is not None:
        await fleet.start(base)
        fleet.end()
        fleet.alive.clear()
        prepare(Path(base.data) / "rolecall.sqlite3")
    await fleet.launch(lives[0] if lives else None)
    names = [str(n) for n in range(tickets)]
    sending = asyncio.gather(*(it.send(names[n::SENDERS]) for n in range(SENDERS) if names[n::SENDERS]))
    try:
        await fleet.rage(lives, sending.done if until_over else lambda: False)
        async with asyncio.timeout(5 * PATIENCE_SECONDS + tickets):  # only what hangs takes so long, on any machine
            while not sending.done():
                fleet.expect_all_alive()
                await asyncio.sleep(0.2)
        await sending
        before, since = set[str](), time.monotonic()
        while left := await asyncio.to_thread(it.open_events):
            fleet.expect_all_alive()
            if left != before:
                before, since = left, time.monotonic()
            if time.monotonic() - since > (patience or PATIENCE_SECONDS):
                break
            await asyncio.sleep(0.2)
    finally:
        fleet.end()
        sending.cancel()
        helpdesk.should_exit = True
        await serving
    return await asyncio.to_thread(it.judge)
