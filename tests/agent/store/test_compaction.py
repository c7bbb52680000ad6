"""The room of what was deleted goes back to the disk, without a moment in which nothing can be stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session

from agent.store import compaction, jobs
from agent.store.compaction import compact, give_back
from agent.store.database import Database
from agent.store.tables import ModelJob, utcnow

pytestmark = pytest.mark.anyio

LONG = "x" * 2_000_000
SPARE = 10


@pytest.fixture(autouse=True)
def _little_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "SPARE_PAGES", SPARE)
    monkeypatch.setattr(compaction, "PAGES_AT_ONCE", 100)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open_file(tmp_path / "new.sqlite3")
    yield database
    database.close()


def pages(database: Database) -> int:
    def count(session: Session) -> int:
        found: int = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        return found

    return database.call(count)


def train_and_forget(database: Database) -> None:
    """Let a job with a long request come and end."""
    job = ModelJob(id="j", model_name="m", created_at=utcnow(), digest="", request=LONG)
    database.call(jobs.add, job, most_open=1)
    database.call(jobs.fail, "j", "because")


async def test_a_new_file_gives_back_what_a_long_request_took_and_keeps_a_little(database: Database) -> None:
    before = pages(database)
    train_and_forget(database)
    assert pages(database) > before + 400  # the control: by itself the file keeps it
    await give_back(database)
    assert before <= pages(database) <= before + SPARE + 10


async def test_it_goes_in_steps_between_which_others_write(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    train_and_forget(database)
    steps = []
    inner = compaction._shorten

    def counted(session: Session) -> bool:
        steps.append(1)
        return inner(session)

    monkeypatch.setattr(compaction, "_shorten", counted)
    await give_back(database)
    assert len(steps) >= 5


async def test_a_file_of_an_older_release_does_so_from_the_time_that_it_was_compacted(tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite3"
    with sqlite3.connect(old) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE something (x)")
    connection.close()
    database = Database.open_file(old)
    before = pages(database)
    train_and_forget(database)
    await give_back(database)
    assert pages(database) > before + 400
    compact(database)
    assert pages(database) <= before + 10
    database.call(lambda session: session.connection().exec_driver_sql("DELETE FROM model_job"))
    train_and_forget(database)
    await give_back(database)
    assert pages(database) <= before + SPARE + 10
    database.close()
