"""Kill a working server again and again while its helpdesk misbehaves, then look what became of every event.

Each ticket is filed and then corrected by staff several times, each time to another role: our comment has to follow,
so the texts that the helpdesk was given show losses, repetitions and wrong order.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import httpx
import uvicorn

from connectors.events import Kind
from tests.faults import processes
from tests.faults.desk_server import Plan
from tests.faults.http_desk import SECRET
from tests.faults.stub_desk import StubDesk

ROLES = ("Network", "Electrician", "Carpentry & Fittings", "Plumbing & HVAC", "Locksmith & Security")
SENDERS = 8
SENT_AGAIN = 0.05
PATIENCE_SECONDS = 120
LEAST_LIFE, LONGEST_LIFE = 0.1, 1.0  # seconds between listening and the kill


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
        url = f"http://127.0.0.1:{self.plan.port}/hooks/desk/{SECRET}"
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while queues:
                ticket = self.random.choice(list(queues))
                body = queues[ticket][0]
                try:
                    answer = await client.post(url, content=body)
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

    async def rage(self, lives: Sequence[Plan | None], over: Callable[[], bool]) -> subprocess.Popen[bytes]:
        """Start the server for each life; a plan with a moment dies by itself, any other is killed at random.

        Returns the last server, which is left alive.
        """
        for life in lives:
            if over():
                break
            process = await asyncio.to_thread(self.start, life or self.plan)
            if life is not None and life.die_at:
                await asyncio.to_thread(_await_death, process)
            else:
                await asyncio.sleep(self.random.uniform(LEAST_LIFE, LONGEST_LIFE))
                processes.kill(process)
            self.kills += 1
        return await asyncio.to_thread(self.start, self.plan)

    def start(self, plan: Plan) -> subprocess.Popen[bytes]:
        process = processes.start("tests.faults.desk_server", *plan.arguments(), log=self.log)
        if not plan.die_at:
            processes.await_listening(process, plan.port, self.log)
        return process

    def open_events(self) -> int:
        with sqlite3.connect(Path(self.plan.data) / "rolecall.sqlite3", timeout=20) as database:
            (number,) = database.execute("SELECT count(*) FROM inbox WHERE state IN ('waiting', 'working')").fetchone()
        database.close()
        return int(number)

    def judge(self) -> Verdict:
        verdict = Verdict(self.kills, len(self.acknowledged))
        database = sqlite3.connect(Path(self.plan.data) / "rolecall.sqlite3", timeout=20)
        done = {name for (name,) in database.execute("SELECT delivery_id FROM inbox WHERE state = 'done'")}
        reviewed = {name.split(":")[0] for (name,) in database.execute("SELECT origin FROM review")}
        database.close()
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
    it = Storm(folder, tickets, corrections, replace(base, **plan), desk, random.Random(seed))  # type: ignore[arg-type]
    if prepare is not None:
        processes.kill(await asyncio.to_thread(it.start, it.plan))
        prepare(Path(it.plan.data) / "rolecall.sqlite3")
    names = [str(n) for n in range(tickets)]
    sending = asyncio.gather(*(it.send(names[n::SENDERS]) for n in range(SENDERS) if names[n::SENDERS]))
    plans = [None if moment is None else _life(it.plan, moment) for moment in lives]
    server = await it.rage(plans, sending.done if until_over else lambda: False)
    try:
        await asyncio.wait_for(sending, PATIENCE_SECONDS)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while it.open_events():
            assert server.poll() is None, it.log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < deadline, f"{it.open_events()} events still open"
            await asyncio.sleep(0.2)
    finally:
        processes.kill(server)
        helpdesk.should_exit = True
        await serving
    return it.judge()


def _life(plan: Plan, moment: str) -> Plan:
    """Return the plan with `POINT[#OCCASION]` as its end."""
    point, _, occasion = moment.partition("#")
    return replace(plan, die_at=point, occasion=int(occasion or 1))
