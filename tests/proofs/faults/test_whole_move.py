"""An installation moves from its file to PostgreSQL by one command: what waited, what was in hand, what was dead.

The model and the installation's key come along: the first server that starts publishes the one, and the comments that
were posted before are still known by the other.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from agent.serving.registry import Registry
from connectors.events import Kind
from tests import processes
from tests.agent.serving.conftest import build as build
from tests.postgres import new_database
from tests.proofs.faults.http_desk import SECRET
from tests.proofs.faults.mishaps import Fleet
from tests.proofs.faults.storm import plans_for, serve
from tests.proofs.faults.stub_desk import Moods, StubDesk
from tests.proofs.faults.test_models import all_serve
from tests.proofs.faults.test_parallel import all_done

pytestmark = pytest.mark.anyio

BEFORE, WAITING = 5, 15  # tickets


def command(data: Path, url: str, *words: str) -> str:
    (data / "agent.toml").write_text("")
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *words, "--config", str(data / "agent.toml"), "--data", str(data)],
        env=os.environ | {"ROLECALL_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout


async def deliver(fleet: Fleet, events: list[tuple[str, str, str, str]]) -> None:
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        for event in events:
            url = f"http://127.0.0.1:{fleet.address()}/hooks/desk/{SECRET}"
            assert (await client.post(url, content=json.dumps(event))).status_code == 202


def in_file(data: Path, sql: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(data / "rolecall.sqlite3")
    found = database.execute(sql).fetchall()
    database.commit()
    database.close()
    return found


async def test_nothing_is_lost_on_the_way(cluster: str, tmp_path: Path, build: Callable[..., object]) -> None:
    build("v1")
    Registry(tmp_path / "models", tmp_path / "encoders").activate("v1", "test")
    desk = StubDesk(Moods(0, 0, 0, 0, 0))
    helpdesk, serving = serve(desk)
    url = new_database(cluster)
    (alone,) = plans_for(tmp_path, helpdesk, 1)
    alone = replace(alone, data=str(tmp_path))
    fleet = Fleet(tmp_path, [alone], random.Random(1))
    try:
        await fleet.launch(None)
        await deliver(fleet, [(Kind.CREATED, str(n), f"{n}-0", "") for n in range(BEFORE)])
        while sum(map(len, desk.comments.values())) < BEFORE:
            await asyncio.sleep(0.1)
        desk.down = True
        await deliver(fleet, [(Kind.CREATED, str(n), f"{n}-0", "") for n in range(BEFORE, BEFORE + WAITING)])
        await deliver(fleet, [(Kind.COMMENTED, str(n), f"{n}-1", "/role Locksmith & Security") for n in range(WAITING)])
        processes.kill(fleet.alive.pop().process)

        in_file(tmp_path, f"UPDATE inbox SET state = 'dead' WHERE delivery_id = '{BEFORE}-0'")
        in_file(tmp_path, f"UPDATE inbox SET state = 'working' WHERE delivery_id = '{BEFORE + 1}-0'")
        moved = await asyncio.to_thread(command, tmp_path, url, "db", "move")
        assert f"inbox: {BEFORE + 2 * WAITING}" in moved.splitlines()
        desk.down = False

        fleet.plans = [
            replace(plan, data=data)
            for plan, data in zip(
                plans_for(tmp_path, helpdesk, 2, database_url=url),
                (str(tmp_path), str(tmp_path / "other")),
                strict=True,
            )
        ]
        await fleet.launch(None)
        await all_serve("v1", [plan.port for plan in fleet.plans])
        assert "1" in await asyncio.to_thread(command, tmp_path, url, "queue", "retry", "--all")
        await all_done(url, BEFORE + 2 * WAITING, seconds=120)
    finally:
        fleet.end()
        helpdesk.should_exit = True
        await serving
    tickets = [desk.comments[str(n)] for n in range(BEFORE + WAITING)]
    assert [len(comments) for comments in tickets] == [1] * (BEFORE + WAITING)
    assert all(
        "**Role: Locksmith & Security** (said by staff" in text for c in tickets[:WAITING] for text in c.values()
    )
