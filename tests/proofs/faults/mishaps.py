"""What happens to the servers of a storm: they die at random or named moments, are suspended, or lose their database.

Of a cluster, a server that dies never comes back: whoever replaces it has another identity and another port, and some
are not replaced for a while.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests import processes
from tests.patience import PATIENCE_SECONDS
from tests.postgres import Postgres, disconnect_some
from tests.proofs.faults.desk_server import Plan

LEAST_LIFE, LONGEST_LIFE = 0.1, 1.5  # seconds between listening and the next mishap
LEAST_ALIVE = 2
REPLACED_AT_ONCE = 0.5
TAKEN_OVER_SECONDS = 4.0  # from the end of the others' patience until they have the work
AWAKE_SECONDS = 3.0
"""Time for a server that wakes up to do what it had begun."""

SUSPEND, DISCONNECT, RESTART_POSTGRES = "suspend", "disconnect", "restart postgres"


@dataclass
class Server:
    plan: Plan
    process: subprocess.Popen[bytes]


@dataclass
class Fleet:
    """The living servers of one installation. `address` chooses the port of one that can answer."""

    folder: Path
    plans: list[Plan]
    random: random.Random
    postgres: Postgres | None = None
    alive: list[Server] = field(default_factory=list)
    silent: list[Server] = field(default_factory=list)
    kills: int = 0
    suspensions: int = 0
    returns: list[float] = field(default_factory=list)
    """When the database came back, by the monotonic clock."""

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def address(self) -> int:
        answering = [server.plan.port for server in self.alive if server not in self.silent]
        return self.random.choice(answering or [plan.port for plan in self.plans])

    async def launch(self, moment: str | None) -> None:
        """Start all servers; an only one may have a moment at which it ends."""
        first = moment if len(self.plans) == 1 else None
        await asyncio.gather(*(self.start(_life(plan, first)) for plan in self.plans))

    async def rage(self, lives: Sequence[str | None], over: Callable[[], bool]) -> None:
        """Let one mishap after the other happen: for each of `lives` its own, None being a death at random."""
        for number, what in enumerate(lives):
            if over():
                break
            if len(self.plans) == 1:
                await self.end_and_replace(what, lives[number + 1] if number + 1 < len(lives) else None)
                continue
            await asyncio.sleep(self.random.uniform(LEAST_LIFE, LONGEST_LIFE))
            if what is None:
                await self.kill_one()
            elif what == SUSPEND:
                await self.suspend_one()
            elif what == DISCONNECT:
                await asyncio.to_thread(disconnect_some, self.plans[0].store)
            else:
                assert what == RESTART_POSTGRES
                await self.restart_postgres()

    async def start(self, plan: Plan) -> None:
        process = processes.start("tests.proofs.faults.desk_server", *plan.arguments(), log=self.log)
        self.alive.append(Server(plan, process))
        if not plan.die_at:
            await asyncio.to_thread(processes.await_listening, process, plan.port, self.log)

    async def end_and_replace(self, moment: str | None, next_moment: str | None) -> None:
        """End the only server, or let it end itself at a named moment, and start it again as it was."""
        (server,) = self.alive
        if moment is not None:
            await asyncio.to_thread(_await_death, server.process)
        else:
            await asyncio.sleep(self.random.uniform(LEAST_LIFE, LONGEST_LIFE))
            processes.kill(server.process)
        self.kills += 1
        self.alive.clear()
        await self.start(_life(self.plans[0], next_moment))

    async def kill_one(self) -> None:
        victim = await self.chosen()
        processes.kill(victim.process)
        self.alive.remove(victim)
        self.kills += 1
        while len(self.alive) < len(self.plans):
            if len(self.alive) >= LEAST_ALIVE and self.random.random() >= REPLACED_AT_ONCE:
                break
            await self.start(self.newcomer(victim.plan))

    async def chosen(self) -> Server:
        """Return one that suspends itself in the middle of something, as soon as it has, or any of the living."""
        for server in self.alive:
            if server.plan.stop_at:
                await asyncio.to_thread(_await_stop, server.process)
                return server
        return self.random.choice(self.alive)

    def newcomer(self, like: Plan) -> Plan:
        data = str(self.folder / f"data-of-newcomer-{self.kills}-{len(self.alive)}")
        return replace(like, data=data, port=processes.free_port(), stop_at="")

    async def suspend_one(self) -> None:
        """Suspend a server until others have its work, then wake it."""
        chosen = await self.chosen()
        os.kill(chosen.process.pid, signal.SIGSTOP)
        self.silent.append(chosen)
        await asyncio.sleep(chosen.plan.stalled_seconds + TAKEN_OVER_SECONDS)
        os.kill(chosen.process.pid, signal.SIGCONT)
        self.suspensions += 1
        await asyncio.sleep(AWAKE_SECONDS)
        self.silent.remove(chosen)

    async def restart_postgres(self) -> None:
        assert self.postgres is not None
        await asyncio.to_thread(self.postgres.crash)
        await asyncio.sleep(self.random.uniform(0, LONGEST_LIFE))
        await asyncio.to_thread(self.postgres.start)
        self.returns.append(time.monotonic())

    def expect_all_alive(self) -> None:
        """Fail where a server has ended that nothing here ended."""
        gone = [server for server in self.alive if server.process.poll() is not None]
        assert not gone, self.log.read_text(errors="replace")[-3000:]

    def end(self) -> None:
        for server in self.alive:
            processes.kill(server.process)


def _life(plan: Plan, moment: str | None) -> Plan:
    """Return the plan with `POINT[#OCCASION]` as its end."""
    point, _, occasion = (moment or "").partition("#")
    return replace(plan, die_at=point, occasion=int(occasion or 1)) if moment else plan


def _await_death(process: subprocess.Popen[bytes]) -> None:
    """Wait for a server that ends itself; kill it where its moment did not come in time."""
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        processes.kill(process)


def _await_stop(process: subprocess.Popen[bytes]) -> None:
    """Wait for a server that suspends itself."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < deadline, "never suspended"
        time.sleep(0.05)
