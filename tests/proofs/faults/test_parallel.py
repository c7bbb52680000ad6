"""The same delivery, many times at once, at any of several servers: it is kept once and handled once.

Control: without the constraints of the inbox it is kept as often as it comes.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine

from connectors.events import Kind
from tests.postgres import new_database
from tests.proofs.faults.http_desk import SECRET
from tests.proofs.faults.mishaps import Fleet
from tests.proofs.faults.storm import plans_for, serve
from tests.proofs.faults.stub_desk import Moods, StubDesk

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("ids", "times"), [(10, 30), (1_000, 100)])
async def test_each_delivery_is_handled_once(cluster: str, tmp_path: Path, ids: int, times: int) -> None:
    desk = StubDesk(Moods(0, 0, 0, 0, 0))
    helpdesk, serving = serve(desk)
    url = new_database(cluster)
    fleet = Fleet(tmp_path, plans_for(tmp_path, helpdesk, 3, database_url=url), random.Random(1))
    try:
        await fleet.launch(None)
        answers = [await send_at_once(fleet, str(ticket), times) for ticket in range(ids)]
        await all_done(url, ids, seconds=60 + ids)
        decisions = ask(url, "SELECT count(*), count(DISTINCT ticket_key) FROM decision")
        drop_constraints(url)
        unguarded = await send_at_once(fleet, str(ids), times)
    finally:
        fleet.end()
        helpdesk.should_exit = True
        await serving
    assert answers == [Counter({202: 1, 200: times - 1})] * ids
    assert [len(desk.history[str(ticket)]) for ticket in range(ids)] == [1] * ids
    assert decisions == (ids, ids)
    assert unguarded[202] > 1


async def send_at_once(fleet: Fleet, ticket: str, times: int) -> Counter[int]:
    body = json.dumps([Kind.CREATED, ticket, f"delivery-{ticket}", ""])
    limits = httpx.Limits(max_connections=times)
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=limits) as client:
        urls = [f"http://127.0.0.1:{fleet.address()}/hooks/desk/{SECRET}" for _ in range(times)]
        found = await asyncio.gather(*(client.post(url, content=body) for url in urls))
    return Counter(answer.status_code for answer in found)


async def all_done(url: str, number: int, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while ask(url, "SELECT count(*) FROM inbox WHERE state = 'done'") != (number,):
            await asyncio.sleep(0.2)
    assert ask(url, "SELECT count(*) FROM inbox") == (number,)


def drop_constraints(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        named = "SELECT conname FROM pg_constraint WHERE conrelid = 'inbox'::regclass AND contype = 'u'"
        for (name,) in connection.exec_driver_sql(named).all():
            connection.exec_driver_sql(f'ALTER TABLE inbox DROP CONSTRAINT "{name}"')
    engine.dispose()


def ask(url: str, sql: str) -> tuple[int, ...]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = tuple(connection.exec_driver_sql(sql).one())
    engine.dispose()
    return found
