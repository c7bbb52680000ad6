"""Figures cost the same however many events are stored: no query behind them walks through what is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlmodel import Session

from agent.store import status
from agent.store.database import Database
from agent.store.status import LEAST, figures, rate
from agent.store.tables import Inbox, utcnow
from tests.postgres import ONE_WORKER, new_database

pytestmark = ONE_WORKER

STORED, OPEN = 5_000, 30


def fill(session: Session) -> None:
    """Store many done events and then a few open ones; one every 10 ms, the last just now."""
    now, rows = utcnow(), []
    for number in range(STORED + OPEN):
        at = now - timedelta(milliseconds=10 * (STORED - number))
        done = number < STORED
        rows.append(
            {
                "source": "desk", "delivery_id": str(number), "kind": "created", "ticket_key": f"desk:{number}",
                "content_hash": str(number), "received_at": at, "event": "{}", "raw": b"",
                "state": "done" if done else "waiting", "due_at": at, "done_at": at if done else None,
            }
        )  # fmt: skip
    session.execute(insert(Inbox), rows)


@pytest.fixture(scope="module")
def full_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database.open_file(tmp_path_factory.mktemp("figures") / "rolecall.sqlite3")
    database.call(fill)
    yield database
    database.close()


@pytest.fixture(scope="module")
def full_cluster(cluster: str) -> Iterator[Database]:
    database = Database.open(new_database(cluster))
    database.call(fill)
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE inbox")
    yield database
    database.close()


def plans(database: Database, query: Any, *args: object) -> list[str]:
    """Run a query function and return the database's plan of every statement on the inbox."""
    asked: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", listen)
    try:
        database.call(query, *args)
    finally:
        event.remove(database.engine, "before_cursor_execute", listen)
    explain = "EXPLAIN " if database.clustered else "EXPLAIN QUERY PLAN "
    found = []
    with database.engine.connect() as connection:
        for statement, parameters in asked:
            if "FROM inbox" in statement:
                rows = connection.exec_driver_sql(explain + statement, parameters).all()
                found.append("\n".join(str(row[-1]) for row in rows))
    return found


def walks_through_all(plan: str) -> bool:
    """Tell whether a plan reads the table, or the order of its numbers, with nothing but a filter to end it."""
    return any(
        "Seq Scan on inbox" in step
        or step.strip() in ("SCAN inbox", "SEARCH inbox")  # the latter is the first of a walk, wherever that ends
        for step in plan.splitlines()
    )


def oldest_by_walking(session: Session) -> None:
    session.connection().exec_driver_sql(
        "SELECT received_at FROM inbox WHERE state || '' IN ('waiting', 'working') ORDER BY seq LIMIT 1"
    )


@pytest.mark.parametrize("kind", ["full_file", "full_cluster"])
def test_no_figure_walks_through_the_events_that_are_done(kind: str, request: pytest.FixtureRequest) -> None:
    database = request.getfixturevalue(kind)
    found = plans(database, figures)
    assert len(found) == 4
    for plan in [*found, *plans(database, status.upcoming)]:
        assert not walks_through_all(plan), plan
        assert "ix_inbox_" in plan, plan


def test_a_figure_that_walked_would_be_seen(full_file: Database) -> None:
    """Control."""
    (plan,) = plans(full_file, oldest_by_walking)
    assert walks_through_all(plan)


@pytest.mark.parametrize("kind", ["full_file", "full_cluster"])
def test_the_figures_are_right(kind: str, request: pytest.FixtureRequest) -> None:
    database = request.getfixturevalue(kind)
    now = database.call(figures)
    assert now.events == {"waiting": OPEN}
    assert now.oldest == database.call(lambda session: session.get(Inbox, STORED + 1)).received_at
    assert (now.paused, now.training) == (None, None)


def test_the_pace_is_that_of_the_latest_events(full_file: Database) -> None:
    newest = full_file.call(lambda session: session.get(Inbox, STORED)).done_at
    assert newest is not None
    pace = full_file.call(rate, newest)
    assert pace == pytest.approx(100, rel=0.01)  # one every 10 ms
    assert full_file.call(rate, newest + timedelta(hours=1)) is None


def test_without_enough_events_no_pace_is_told(tmp_path: Path) -> None:
    database = Database.open_file(tmp_path / "rolecall.sqlite3")
    assert LEAST > 1
    assert database.call(rate, utcnow()) is None
    database.close()
