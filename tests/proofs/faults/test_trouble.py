"""While the database cannot be written: no 2xx without a commit, only 503 with Retry-After. Afterwards: as before.

Each runs a whole server on a real file system that is really full, frozen or forbidden, under load.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import pytest

from connectors.events import Kind
from tests import processes
from tests.proofs.faults.desk_server import Plan
from tests.proofs.faults.http_desk import SECRET
from tests.proofs.faults.small_disk import (
    MEGABYTE,
    Trouble,
    abort,
    ballast,
    database,
    free_bytes,
    frozen,
    immutable,
    locked,
    repair,
    small_disk,
)

pytestmark = pytest.mark.anyio

SENDERS = 8
PATIENCE_SECONDS = 60
TEXT = "x" * 20_000
"""Makes events large, so that a full disk is noticed after few of them."""


@dataclass
class World:
    """A server at work on a small disk, the load on it, and what came back."""

    root: Path
    plan: Plan
    log: Path
    server: subprocess.Popen[bytes]
    client: httpx.AsyncClient
    desk: str
    acknowledged: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    _numbers: Iterator[int] = field(default_factory=count)

    async def send(self) -> None:
        """Send ever new tickets until cancelled, each until it is acknowledged."""
        while True:
            name = str(next(self._numbers))
            while name not in self.acknowledged:
                try:
                    body = json.dumps([Kind.CREATED, name, f"d{name}", TEXT])
                    answer = await self.client.post(f"/hooks/desk/{SECRET}", content=body)
                except httpx.TimeoutException:
                    continue
                self.answers[answer.status_code] += 1
                if answer.status_code in (200, 202):
                    self.acknowledged.add(name)
                elif "retry-after" not in answer.headers:
                    self.without_retry_after += 1
                await asyncio.sleep(0.02)

    async def until_acknowledged(self, more: int) -> None:
        goal = len(self.acknowledged) + more
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.acknowledged) < goal:
                self.alive()
                await asyncio.sleep(0.05)

    async def until_refused(self, more: int) -> None:
        goal = self.answers[503] + more
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.answers[503] < goal:
                self.alive()
                await asyncio.sleep(0.05)

    async def until_ready(self, ready: bool) -> str:
        """Return the reason that /readyz gives."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                answer = await self.client.get("/readyz", timeout=PATIENCE_SECONDS)
                if (answer.status_code == 200) is ready:
                    return str(answer.json().get("reason", ""))
                await asyncio.sleep(0.1)

    async def until_worked_off(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.kept("waiting", "working"):
                self.alive()
                await asyncio.sleep(0.1)

    def alive(self) -> None:
        assert self.server.poll() is None, self.log.read_text(errors="replace")[-3000:]

    def kept(self, *states: str) -> set[str]:
        """Return the tickets whose events are in the database, in any of the states."""
        places = ",".join("?" * len(states))
        with sqlite3.connect(f"file:{database(self.root)}?mode=ro", uri=True) as connection:
            rows = connection.execute(f"SELECT delivery_id FROM inbox WHERE state IN ({places})", states).fetchall()
        connection.close()
        return {name.removeprefix("d") for (name,) in rows}

    async def comments(self) -> dict[str, int]:
        """Return how many tickets have how many comments."""
        found: dict[str, int] = (await self.client.get(f"{self.desk}counts")).json()
        return found


@asynccontextmanager
async def world(tmp_path: Path, **plan: object) -> AsyncIterator[World]:
    desk_port, port, log = processes.free_port(), processes.free_port(), tmp_path / "log"
    with (
        small_disk(tmp_path) as root,
        processes.server("tests.proofs.faults.stub_desk", [str(desk_port)], desk_port, tmp_path / "desk.log"),
    ):
        desk = f"http://127.0.0.1:{desk_port}/"
        it = Plan(str(root / "data"), port, desk, timeout_seconds=5, comments_per_hour=10**6, **plan)  # type: ignore[arg-type]
        with processes.server("tests.proofs.faults.desk_server", it.arguments(), port, log) as server:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=3, trust_env=False) as client:
                yield World(root, it, log, server, client, desk)


@asynccontextmanager
async def load(on: World) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(on.send()) for _ in range(SENDERS)]
        yield
        for task in tasks:
            task.cancel()


async def live_through(it: World, trouble: Trouble) -> str:
    """Let it begin, be noticed and end under load; return the reason that /readyz gave."""
    with trouble(it.root):
        await it.until_refused(20)
        reason = await it.until_ready(False)
    await it.until_acknowledged(20)
    await it.until_ready(True)
    return reason


async def test_a_database_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    """One server outlasts a full disk, a forbidden one, a lock held by another process, and a disk that hangs."""
    async with world(tmp_path, intake={"min_free_bytes": 0, "max_waiting_seconds": 1}) as it:
        async with load(it):
            await it.until_acknowledged(20)
            reasons = [await live_through(it, trouble) for trouble in (ballast, immutable, locked, frozen)]
        await it.until_worked_off()
        assert "SQLITE_FULL" in reasons[0]
        assert "SQLITE_IOERR_WRITE" in reasons[1]
        assert all(" than 1 s" in reason for reason in reasons[2:])
        assert set(it.answers) - {200} == {202, 503}
        assert it.without_retry_after == 0
        assert it.acknowledged <= it.kept("done")
        assert await it.comments() == {"1": len(it.kept("done"))}


async def test_with_acknowledgements_before_the_commit_the_same_harness_finds_losses(tmp_path: Path) -> None:
    """Control."""
    async with world(tmp_path, hasty=True, intake={"min_free_bytes": 0}) as it:
        async with load(it):
            await it.until_acknowledged(20)
            with ballast(it.root):
                await it.until_ready(False)
                await it.until_acknowledged(200)
        await it.until_ready(True)
        await it.until_worked_off()
        assert it.acknowledged - it.kept("done")


async def test_a_reserve_lets_work_go_on_while_nothing_more_is_taken_in(tmp_path: Path) -> None:
    async with world(tmp_path, intake={"min_free_bytes": 24 * MEGABYTE}) as it:
        async with load(it):
            await it.until_acknowledged(20)
            with ballast(it.root, leave=22 * MEGABYTE):
                await it.until_refused(30)
                reason = await it.until_ready(False)
                assert "less than 24 MB free" in reason
                assert free_bytes(it.root) > 4 * MEGABYTE
                await it.until_worked_off()
                assert it.acknowledged <= it.kept("done")
            await it.until_acknowledged(30)
            await it.until_ready(True)
        assert it.without_retry_after == 0
        assert it.log.read_text().count("storage_trouble") == 1


async def test_what_was_acknowledged_outlives_a_file_system_that_gave_up(tmp_path: Path) -> None:
    """It goes read-only under a running server, and needs a repair and a restart; nothing else brings it back."""
    async with world(tmp_path, intake={"min_free_bytes": 0}) as it:
        async with load(it):
            await it.until_acknowledged(50)
            abort(it.root)
            await it.until_refused(50)
            assert "SQLITE_" in await it.until_ready(False)
        assert set(it.answers) <= {200, 202, 503}
        assert it.without_retry_after == 0
        it.alive()
        processes.kill(it.server)
        repair(it.root)
        assert it.acknowledged <= it.kept("waiting", "working", "done")
        with processes.server(
            "tests.proofs.faults.desk_server", it.plan.arguments(), it.plan.port, it.log
        ) as it.server:
            await it.until_ready(True)
            await it.until_worked_off()
        assert it.acknowledged <= it.kept("done")
        assert await it.comments() == {"1": len(it.kept("done"))}
