"""Moving an installation to PostgreSQL copies every row, and gives every open event its place in the queue."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel

from agent.errors import NotPossibleYet
from agent.store import coordination, inbox, tickets
from agent.store.arrivals import Arrival, accept
from agent.store.database import Database, newest_version
from agent.store.tables import Review, Ticket, utcnow
from agent.store.to_postgres import move
from connectors.events import Event, Kind
from tests.postgres import ONE_WORKER, new_database

pytestmark = ONE_WORKER

KEY = bytes(range(32))


def filled(file: Path) -> Database:
    source = Database.open_file(file)
    events = [Event(Kind.COMMENTED, str(n % 3), f"d{n}") for n in range(9)]
    source.call(accept, [Arrival("desk", event, b"\x00raw", utcnow()) for event in events])
    (job, *_) = source.call(inbox.claim, 3, utcnow())
    source.call(inbox.finish, job, utcnow())
    source.call(tickets.file, Ticket(key="desk:1", subject="Gerät", body="ist kaputt", filed_at=utcnow()))
    review = Review(ticket_key="desk:1", roles=["Network"], strength=3, origin="x", at=utcnow())
    assert source.call(tickets.review, review)
    return source


def rows(database: Database) -> dict[str, int]:
    with database.engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in SQLModel.metadata.sorted_tables
        }


def test_every_row_arrives_and_every_open_event_has_its_job(cluster: str, tmp_path: Path) -> None:
    source, target = filled(tmp_path / "old.sqlite3"), Database.open(new_database(cluster))
    before = rows(source)
    assert move(source, target, KEY) == before
    assert rows(target) == before | {"shared_value": 1}
    assert target.call(coordination.value, "key") == KEY.hex()
    with target.engine.connect() as connection:
        jobs = connection.exec_driver_sql("SELECT args->>'seq', lock FROM procrastinate_jobs ORDER BY id").all()
    assert [int(seq) for seq, _ in jobs] == list(range(2, 10))
    assert {lock for _, lock in jobs} == {"desk:0", "desk:1", "desk:2"}
    new = Arrival("desk", Event(Kind.CREATED, "9", "new"), b"", utcnow())
    assert target.call(accept, [new, new]) == [True, False]
    with pytest.raises(NotPossibleYet, match="the target has to be empty"):
        move(source, target, KEY)
    source.close()
    target.close()


def test_both_databases_reach_the_newest_schema(cluster: str, tmp_path: Path) -> None:
    file, server = Database.open_file(tmp_path / "a.sqlite3"), Database.open(new_database(cluster))
    assert file.version() == server.version() == newest_version()
    file.close()
    server.close()
