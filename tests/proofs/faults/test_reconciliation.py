"""The endpoint is down while tickets change: after its return everything is handled within one poll, and once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
import uvicorn
from sqlalchemy import create_engine

from tests import processes
from tests.proofs.faults.desk_server import Plan
from tests.proofs.faults.http_desk import SECRET
from tests.proofs.faults.stub_desk import CALM, HAPPENINGS, StubDesk

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 120


@dataclass
class Scene:
    """A helpdesk in this process, and the plan of a server for it."""

    stub: StubDesk
    plan: Plan
    folder: Path

    def change(self, tickets: int) -> None:
        """Let people file tickets and correct what Rolecall would say: two happenings each."""
        for n in range(tickets):
            self.stub.happenings.append(("created", str(n), f"{n}-0", ""))
            self.stub.happenings.append(("commented", str(n), f"{n}-1", "/role Electrician"))

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        engine = create_engine(self.plan.store)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.exec_driver_sql(sql)]
        engine.dispose()
        return found

    def watermark(self) -> int:
        ((value,),) = self.ask("SELECT max(value) FROM watermark") or [(None,)]
        return int(str(value)) if value is not None else -1

    def handled(self) -> int:
        ((done,),) = self.ask("SELECT count(*) FROM inbox WHERE state = 'done'")
        return int(str(done))

    async def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS + len(self.stub.happenings) / 5
        while not await asyncio.to_thread(holds):
            assert time.monotonic() < deadline, self.ask("SELECT state, count(*) FROM inbox GROUP BY state")
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Run a server for the length of a block, and end it with kill -9."""
        log = self.folder / "server.log"
        process = await asyncio.to_thread(
            processes.start, "tests.proofs.faults.desk_server", *self.plan.arguments(), log=log
        )
        try:
            await asyncio.to_thread(processes.await_listening, process, self.plan.port, log)
            yield
        finally:
            processes.kill(process)

    async def deliver_late(self) -> set[int]:
        """Send every delivery after all, as a sender that tries again would; return the answers."""
        url = f"http://127.0.0.1:{self.plan.port}/hooks/desk/{SECRET}"
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            return {(await client.post(url, content=json.dumps(told))).status_code for told in self.stub.happenings}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    stub, port = StubDesk(CALM), processes.free_port()
    helpdesk = uvicorn.Server(uvicorn.Config(stub.app(), port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(helpdesk.serve())
    plan = Plan(
        str(tmp_path / "data"), processes.free_port(), f"http://127.0.0.1:{port}/", timeout_seconds=30, poll_seconds=1
    )
    yield Scene(stub, plan, tmp_path)
    helpdesk.should_exit = True
    await serving


@pytest.mark.parametrize("tickets", [30, 500])
async def test_what_changed_while_the_endpoint_was_down_is_handled_once(scene: Scene, tickets: int) -> None:
    async with scene.serving():
        await scene.until(lambda: scene.watermark() == 0)
    scene.change(tickets)
    number = len(scene.stub.happenings)
    async with scene.serving():
        await scene.until(lambda: scene.watermark() > 0)
    reached = scene.watermark()  # killed in the middle of the poll
    assert 0 < reached < number
    scene.stub.looks = 0
    async with scene.serving():
        await scene.until(lambda: scene.watermark() == number)
        assert scene.stub.looks <= (number - reached) / HAPPENINGS + 2
        await scene.until(lambda: scene.handled() == number)
        assert await scene.deliver_late() == {200}  # known already
    assert scene.handled() == number
    assert len(scene.stub.comments) == tickets
    for comments in scene.stub.comments.values():
        (text,) = comments.values()
        assert "**Role: Electrician**" in text


async def test_without_the_poll_nobody_knows(scene: Scene) -> None:
    """Control."""
    scene.plan = replace(scene.plan, poll_seconds=10_000)
    async with scene.serving():
        await scene.until(lambda: scene.watermark() == 0)
        scene.change(3)
        await asyncio.sleep(3)  # in which the other test would have polled three times
        assert (scene.watermark(), scene.handled()) == (0, 0)
