"""Trainings take turns, on one data directory and in a cluster, and each clears up after one that was stopped."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session, select

from agent.core import Parts
from agent.errors import NotPossibleYet
from agent.fitting.child import ignore
from agent.learning import turn as turns
from agent.learning.turn import cancelled_by_sigterm, turn
from agent.store.database import Database
from agent.store.tables import Training
from tests.invented_desk import trainer_for
from tests.postgres import ONE_WORKER, new_database

pytestmark = pytest.mark.anyio


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "ASK_SECONDS", 0.01)


@pytest.fixture(params=["one directory", pytest.param("one cluster", marks=ONE_WORKER)])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[tuple[Database, Path]]]:
    """Yield where two trainings run: on one data directory, or on two servers of one database."""
    if request.param == "one directory":
        with closing(Database.open_file(tmp_path / "db.sqlite3")) as database:
            yield [(database, tmp_path)] * 2
        return
    (tmp_path / "other").mkdir()
    with closing(Database(new_database(request.getfixturevalue("cluster")))) as database:
        yield [(database, tmp_path), (database, tmp_path / "other")]


@pytest.mark.usefixtures("quickly")
async def test_a_second_training_waits_for_the_first_and_says_so(places: list[tuple[Database, Path]]) -> None:
    first, second = places
    waits, done = asyncio.Event(), []

    async def train_second() -> None:
        async with turn(second[1], lambda progress: waits.set(), second[0]):
            done.append("second")

    async with turn(first[1], ignore, first[0]):
        waiting = asyncio.create_task(train_second())
        await waits.wait()
        done.append("first")
    await waiting
    assert done == ["first", "second"]


async def test_what_a_killed_training_left_is_gone_at_the_next(parts_for: Callable[..., Parts]) -> None:
    parts = parts_for()
    left = parts.directory.path / "training/fit-old/body.onnx"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"90 MB")

    def leave_running(session: Session) -> None:
        session.add(Training(started_at=datetime(2026, 1, 1, tzinfo=UTC), trigger="nightly"))

    parts.database.call(leave_running)
    with pytest.raises(NotPossibleYet):
        await trainer_for(parts).train("tests")
    assert not left.exists()
    runs = parts.database.call(lambda session: session.exec(select(Training)).all())
    assert (runs[0].outcome, runs[0].reason) == ("failed", "stopped midway")
    assert all(run.finished_at for run in runs)


async def test_sigterm_cancels_a_training_in_place_of_killing_it() -> None:
    ended = []

    async def train() -> None:
        try:
            await asyncio.sleep(0)
            signal.raise_signal(signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(asyncio.CancelledError):
        await cancelled_by_sigterm(train())
    assert ended
