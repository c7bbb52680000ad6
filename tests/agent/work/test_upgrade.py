"""A new release takes over the queue of the one before it, in the middle of its work: nothing is lost or reordered."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from agent.metrics import Metrics
from agent.store import deferred, status
from agent.store.database import MIGRATIONS, Database, newest_version
from agent.store.inbox import EVENT, NEVER, Job
from agent.work.attempt import Attempts, Breakers
from agent.work.engines import make_engine
from connectors.events import Event, Kind
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

TICKETS, EACH = 10, 5
IN_FLIGHT = 4
"""Tickets whose first event was being worked on when the old release ended."""

INSERT = (
    "INSERT INTO inbox (seq, source, delivery_id, kind, ticket_key, content_hash, received_at, event, raw, state,"
    " due_at, attempts, crashes) VALUES (?, 'desk', ?, 'commented', ?, ?, ?, ?, ?, ?, ?, ?, 0)"
)
LONG_AGO = "2026-01-05 08:00:00.000000"


def left_by_the_release_before(url: str) -> None:
    """Make a database with the schema before the newest, and events that wait or were in hand."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    before = scripts.get_revision("head").down_revision
    assert isinstance(before, str)
    database = Database(url)
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, before)
        if database.clustered:
            deferred.install(connection)
        for seq in range(1, TICKETS * EACH + 1):
            ticket, number = str(seq % TICKETS), (seq - 1) // TICKETS
            event = Event(Kind.COMMENTED, ticket, f"{ticket}-{number}")
            in_hand = seq <= IN_FLIGHT
            due = NEVER.replace(tzinfo=None).isoformat(" ", "microseconds") if number else LONG_AGO
            row = (
                seq,
                event.delivery_id,
                f"desk:{ticket}",
                event.delivery_id,
                LONG_AGO,
                EVENT.dump_json(event).decode(),
            )
            state = "working" if in_hand else "waiting"
            sql = INSERT.replace("?", "%s") if database.clustered else INSERT
            connection.exec_driver_sql(sql, (*row, b"", state, due, int(in_hand)))
            if database.clustered:
                deferred.defer(connection, [(seq, f"desk:{ticket}")])
        if database.clustered:
            sql = "UPDATE procrastinate_jobs SET status = 'doing' WHERE (args->>'seq')::int <= %s"
            connection.exec_driver_sql(sql, (IN_FLIGHT,))
    assert database.version() == before
    database.close()


async def test_what_the_old_release_left_is_done_in_order(database_url: str) -> None:
    left_by_the_release_before(database_url)
    database = Database.open(database_url)
    assert database.version() == newest_version()
    handled: dict[str, list[str]] = defaultdict(list)

    async def handle(job: Job) -> None:
        handled[job.ticket_key].append(job.event.delivery_id)

    attempts = Attempts(database, handle, Metrics(), Breakers(Metrics(), ["desk"]))
    engine = make_engine(database, attempts, asyncio.Event(), 8)
    working = asyncio.create_task(engine.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await database.read(status.counts):
            await asyncio.sleep(0.05)
    engine.stop()
    await working
    database.close()
    assert handled == {f"desk:{t}": [f"{t}-{n}" for n in range(EACH)] for t in range(TICKETS)}
