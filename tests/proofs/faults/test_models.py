"""A promoted model reaches every living server within seconds, whole; one that was spoilt on the way reaches none."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from agent.serving.registry import Registry
from tests.agent.serving.conftest import build as build
from tests.postgres import new_database
from tests.proofs.faults.desk_server import Plan
from tests.proofs.faults.mishaps import Fleet
from tests.proofs.faults.storm import plans_for, serve
from tests.proofs.faults.stub_desk import StubDesk

pytestmark = pytest.mark.anyio

PROMISED_SECONDS = 15
PATIENCE_SECONDS = 60


def model_at(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
        model: str = json.load(answer)["model"]
    return model


async def all_serve(version: str, ports: Sequence[int]) -> float:
    """Return the seconds until all servers said that they serve this version."""
    begun = time.monotonic()
    for port in ports:
        while True:
            try:
                if await asyncio.to_thread(model_at, port) == version:
                    break
            except OSError:
                pass
            assert time.monotonic() < begun + PATIENCE_SECONDS, f"{port} does not serve {version}"
            await asyncio.sleep(0.2)
    return time.monotonic() - begun


async def test_a_promoted_model_reaches_the_living(cluster: str, tmp_path: Path, build: Callable[..., object]) -> None:
    registry = Registry(tmp_path / "models", tmp_path / "encoders")
    build("v1")
    registry.activate("v1", "test")
    files = [file for folder in ("models/v1", "encoders") for file in (tmp_path / folder).rglob("*") if file.is_file()]
    helpdesk, serving = serve(StubDesk())
    url = new_database(cluster)
    trainer, other, mortal = plans_for(tmp_path, helpdesk, 3, database_url=url)
    trainer = replace(trainer, data=str(tmp_path))
    mortal = replace(mortal, die_at="after:fetch", occasion=len(files) + 2)  # in the middle of the second download
    fleet = Fleet(tmp_path, [trainer, other, mortal], random.Random(1))
    ports = [plan.port for plan in fleet.plans]
    try:
        await fleet.launch(None)
        await all_serve("v1", ports)

        build("v2", temperature=2.0)
        registry.activate("v2", "test")
        assert await all_serve("v2", ports[:2]) < PROMISED_SECONDS
        dead = next(server for server in fleet.alive if server.plan is mortal)
        await asyncio.to_thread(dead.process.wait, PATIENCE_SECONDS)
        assert not (Path(mortal.data) / "models" / "v2").exists()
        assert left_behind(mortal)
        fleet.alive.remove(dead)
        await fleet.start(replace(mortal, die_at=""))
        await all_serve("v2", ports)
        assert not left_behind(mortal)

        followers = [server.process.pid for server in fleet.alive if server.plan is not trainer]
        for pid in followers:
            os.kill(pid, signal.SIGSTOP)
        build("v3", temperature=3.0)
        registry.activate("v3", "test")
        await all_serve("v3", ports[:1])
        await spoil(url, "models/v3/head.safetensors")
        for pid in followers:
            os.kill(pid, signal.SIGCONT)
        log = tmp_path / "server.log"
        while log.read_text().count("model_refused") < len(followers):
            await asyncio.sleep(0.2)
        assert [model_at(port) for port in ports] == ["v3", "v2", "v2"]
    finally:
        fleet.end()
        helpdesk.should_exit = True
        await serving


def left_behind(plan: Plan) -> list[Path]:
    return list(Path(plan.data).glob(".incoming-*"))


async def spoil(url: str, name: str) -> None:
    """Turn over the last byte of a file in the database as soon as the version that it belongs to is published."""
    engine = create_engine(url)
    while True:
        with engine.begin() as connection:
            pointer = connection.exec_driver_sql("SELECT value FROM shared_value WHERE name = 'model'").scalar_one()
            if "v3" in pointer:
                sql = (
                    "UPDATE shared_file SET content = set_byte(content, length(content) - 1,"
                    " 255 - get_byte(content, length(content) - 1)) WHERE name = %s"
                )
                assert connection.exec_driver_sql(sql, (name,)).rowcount == 1
                break
        await asyncio.sleep(0.1)
    engine.dispose()
