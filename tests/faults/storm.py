"""Kill a working server again and again while its helpdesk misbehaves, then look what became of every event.

Each ticket is filed and then corrected by staff several times, each time to another role: our comment has to follow,
so the texts that the helpdesk was given show losses, repetitions and wrong order.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import httpx
import uvicorn
from sqlalchemy import create_engine

from connectors.events import Kind
from tests.faults import processes
from tests.faults.desk_server import Plan
from tests.faults.http_desk import SECRET
from tests.faults.stub_desk import StubDesk

ROLES = ("Network", "Electrician", "Carpentry & Fittings", "Plumbing & HVAC", "Locksmith & Security")
SENDERS = 8
SENT_AGAIN = 0.05
PATIENCE_SECONDS = 120  # and one more for each ticket
LEAST_LIFE, LONGEST_LIFE = 0.1, 1.5  # seconds between listening and the kill


@dataclass
class Verdict:
    """What a storm did. `kills` counts deaths of the server in the middle of its work."""

    kills: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    inversions: list[str] = field(default_factory=list)

    @property
    def damage(self) -> tuple[int, int, int]:
        return len(self.lost), len(self.duplicates), len(self.inversions)


@dataclass
class Storm:
    """One installation, one helpdesk, and a queue of deliveries for each ticket."""

    folder: Path
    tickets: int
    corrections: int
    plan: Plan
    stub: StubDesk
    random: random.Random
    acknowledged: set[str] = field(default_factory=set)
    kills: int = 0

    replicas: list[Plan] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

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
                    port = self.random.choice(self.replicas).port
                    answer = await client.post(f"http://127.0.0.1:{port}/hooks/desk/{SECRET}", content=body)
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
                    continue
                if answer.status_code not in (200, 202):
                    await asyncio.sleep(0.05)
                    continue
                self.acknowledged.add(json.loads(body)[2])
                if self.random.random() >= SENT_AGAIN:
                    queues[ticket].pop(0)
                    if not queues[ticket]:
                        del queues[ticket]
                await asyncio.sleep(self.random.uniform(0, 0.02))

    async def rage(self, lives: Sequence[str | None], over: Callable[[], bool]) -> list[subprocess.Popen[bytes]]:
        """End one server for each of `lives` and replace it; return the servers that are left alive.

        A life that names a moment ends by itself there, any other is killed at random. With several replicas each
        replacement has a new data directory, and another server's work has to be taken over by those that live.
        """
        first = None if len(self.replicas) > 1 or not lives else lives[0]
        alive = [await asyncio.to_thread(self.start, _life(plan, first)) for plan in self.replicas]
        for number, moment in enumerate(lives):
            if over():
                break
            chosen = self.random.randrange(len(alive))
            if moment is not None and len(alive) == 1:
                await asyncio.to_thread(_await_death, alive[chosen])
            else:
                await asyncio.sleep(self.random.uniform(LEAST_LIFE, LONGEST_LIFE))
                processes.kill(alive[chosen])
            self.kills += 1
            if len(alive) > 1:
                data = str(self.folder / f"data-{number}-replaced")
                self.replicas[chosen] = replace(self.replicas[chosen], data=data)
            follower = lives[number + 1] if number + 1 < len(lives) and len(alive) == 1 else None
            alive[chosen] = await asyncio.to_thread(self.start, _life(self.replicas[chosen], follower))
        return alive

    def start(self, plan: Plan) -> subprocess.Popen[bytes]:
        process = processes.start("tests.faults.desk_server", *plan.arguments(), log=self.log)
        if not plan.die_at:
            processes.await_listening(process, plan.port, self.log)
        return process

    def ask(self, sql: str) -> set[str]:
        engine = create_engine(self.plan.store)
        with engine.connect() as connection:
            found = {str(value) for (value,) in connection.exec_driver_sql(sql)}
        engine.dispose()
        return found

    def open_events(self) -> set[str]:
        return self.ask("SELECT delivery_id FROM inbox WHERE state IN ('waiting', 'working')")

    def judge(self) -> Verdict:
        verdict = Verdict(self.kills, len(self.acknowledged))
        done = self.ask("SELECT delivery_id FROM inbox WHERE state = 'done'")
        reviewed = {name.split(":")[0] for name in self.ask("SELECT origin FROM review")}
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
    steps = [ROLES.index(role) for text in texts for role in ROLES if f"**Role: {role}** (corrected" in text]
    return sum((after - before) % len(ROLES) > 1 for before, after in pairwise(steps))


def _await_death(process: subprocess.Popen[bytes]) -> None:
    """Wait for a server that ends itself; kill it where its moment did not come in time."""
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        processes.kill(process)


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
    **plan: object,
) -> Verdict:
    """Let it rage and return the verdict. `lives` names the moment of each death, None a random one.

    `prepare` gets the database file before the storm. With `until_over`, killing ends when all was delivered.
    """
    desk = stub or StubDesk()
    helpdesk = uvicorn.Server(
        uvicorn.Config(desk.app(), port=processes.free_port(), log_config=None, lifespan="off", log_level="critical")
    )
    serving = asyncio.create_task(helpdesk.serve())
    base = Plan(str(folder / "data"), processes.free_port(), f"http://127.0.0.1:{helpdesk.config.port}/")
    base = replace(base, **plan)  # type: ignore[arg-type]
    more = [replace(base, data=str(folder / f"data-{n}"), port=processes.free_port()) for n in range(1, replicas)]
    it = Storm(folder, tickets, corrections, base, desk, random.Random(seed), replicas=[base, *more])
    if prepare is not None:
        processes.kill(await asyncio.to_thread(it.start, it.plan))
        prepare(Path(it.plan.data) / "rolecall.sqlite3")
    names = [str(n) for n in range(tickets)]
    sending = asyncio.gather(*(it.send(names[n::SENDERS]) for n in range(SENDERS) if names[n::SENDERS]))
    servers = await it.rage(lives, sending.done if until_over else lambda: False)
    try:
        patience = PATIENCE_SECONDS + tickets
        await asyncio.wait_for(sending, patience)
        deadline = time.monotonic() + patience
        while await asyncio.to_thread(it.open_events):
            assert all(server.poll() is None for server in servers), it.log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < deadline, f"still open: {it.open_events()}"
            await asyncio.sleep(0.2)
    finally:
        for server in servers:
            processes.kill(server)
        helpdesk.should_exit = True
        await serving
    return await asyncio.to_thread(it.judge)


def _life(plan: Plan, moment: str | None) -> Plan:
    """Return the plan with `POINT[#OCCASION]` as its end."""
    point, _, occasion = (moment or "").partition("#")
    return replace(plan, die_at=point, occasion=int(occasion or 1))
