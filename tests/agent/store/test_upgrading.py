"""An upgrade of PostgreSQL that somebody stands in the way of says who that is, lets others go first, and ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine
from structlog.testing import capture_logs

from agent.errors import NotPossibleYet
from agent.store import upgrading
from agent.store.database import MIGRATIONS, Database, newest_version
from tests.postgres import ONE_WORKER, new_database

pytestmark = ONE_WORKER

OLDER = "0030"
"""A schema whose upgrade needs a lock on `ticket`."""


@pytest.fixture(scope="module")
def template(cluster: str) -> str:
    """Return the name of a database of an older schema, to copy."""
    database, config = Database(new_database(cluster)), Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, OLDER)
    database.close()
    return str(database.engine.url.database)


@pytest.fixture
def older(cluster: str, template: str) -> str:
    """Return the address of a database of an older schema."""
    return new_database(cluster, template)


@contextmanager
def somebody_else(address: str, statement: str) -> Iterator[tuple[int, Connection]]:
    """Yield a session, and its number, that has begun a transaction and stays in it."""
    engine = create_engine(address, connect_args={"application_name": "a report by hand"})
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
        yield connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one(), connection
    engine.dispose()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrading, "LOCK_SECONDS", 1.0)
    monkeypatch.setattr(upgrading, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(upgrading, "PAUSE_SECONDS", 0.02)


@pytest.mark.parametrize("statement", ["DELETE FROM ticket", "LOCK TABLE ticket"])
def test_whoever_stays_in_a_transaction_is_named_and_nothing_was_changed(
    older: str, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    monkeypatch.setattr(upgrading, "MOST_SECONDS", 0.0)
    database = Database(older)
    with somebody_else(older, statement) as (pid, _), capture_logs() as logs:
        with pytest.raises(NotPossibleYet) as refused:
            database.upgrade()
        assert database.version() == OLDER
    said = str(refused.value)
    assert f"{pid} (a report by hand, idle in transaction since 20" in said
    assert f"SELECT pg_terminate_backend({pid})" in said
    waits = [line for line in logs if line["event"] == "upgrade_waits"]
    assert waits
    assert str(pid) in waits[0]["for_sessions"]
    database.close()


def test_an_upgrade_goes_on_once_the_other_has_ended_and_lets_others_read_meanwhile(older: str) -> None:
    database, waits = Database(older), threading.Event()
    with somebody_else(older, "DELETE FROM ticket") as (_, theirs):

        def end(_logger: object, _method: str, line: dict[str, object]) -> dict[str, object]:
            if line["event"] == "upgrade_waits" and not waits.is_set():
                waits.set()
                theirs.rollback()
            return line

        with capture_logs(processors=[end]):
            database.upgrade()
    assert waits.is_set()
    assert database.version() == newest_version()
    database.close()


def test_a_lock_that_nobody_holds_is_not_waited_for(older: str) -> None:
    """The control."""
    database = Database(older)
    with capture_logs() as logs:
        database.upgrade()
    assert database.version() == newest_version()
    assert not logs
    database.close()


def test_another_server_that_upgrades_is_waited_for_as_long_as_it_takes(
    older: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrading, "MOST_SECONDS", 0.0)
    database = Database(older)
    with somebody_else(older, f"SELECT pg_advisory_xact_lock({upgrading.UPGRADE_LOCK})") as (pid, theirs):
        said: list[str] = []

        def end(_logger: object, _method: str, line: dict[str, object]) -> dict[str, object]:
            if line["event"] == "upgrade_waits":
                said.append(str(line["for_sessions"]))
                theirs.rollback()
            return line

        with capture_logs(processors=[end]):
            database.upgrade()
    assert str(pid) in said[0]
    assert database.version() == newest_version()
    database.close()
