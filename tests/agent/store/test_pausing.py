"""The kill switch without the ORM leaves what the one with it does, in a file that a server may have open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from agent.store import comments, pausing
from agent.store.database import Database
from agent.store.tables import SharedValue, utcnow

EARLIER = utcnow() - timedelta(hours=3)
NOW = utcnow()


def rows(session: Session) -> list[tuple[str, str, object]]:
    return [(row.name, row.value, row.at) for row in session.exec(select(SharedValue).order_by("name"))]


@pytest.mark.parametrize("keep_answering", [False, True])
@pytest.mark.parametrize(
    "before",
    [{}, {pausing.PAUSE: "audit"}, {pausing.PAUSE: "audit", pausing.ANSWERING: ""}, {"model": "m1"}],
    ids=lambda before: "+".join(before) or "nothing",
)
def test_both_ways_to_pause_leave_the_same(
    before: dict[str, str], keep_answering: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times are equal to the microsecond, too: each way is told what the clock says."""
    monkeypatch.setattr("agent.store.comments.utcnow", lambda: NOW)
    monkeypatch.setattr("agent.store.coordination.utcnow", lambda: NOW)

    def after(name: str, act: Callable[[Database, Path], object]) -> list[tuple[str, str, object]]:
        file = tmp_path / name
        database = Database.open_file(file)
        old = [SharedValue(name=key, value=value, at=EARLIER) for key, value in before.items()]
        database.call(lambda session: session.add_all(old))
        act(database, file)
        found = database.call(rows)
        database.close()
        return found

    def by_session(database: Database, _file: Path) -> None:
        database.call(lambda session: comments.pause(session, "it's wrong", keep_answering=keep_answering))

    def by_file(_database: Database, file: Path) -> None:
        assert pausing.pause_file(file, "it's wrong", keep_answering=keep_answering, now=NOW)

    assert after("a", by_session) == after("b", by_file)


def test_nothing_is_made_where_there_is_no_database_yet(tmp_path: Path) -> None:
    """The caller then takes the long way, which makes it."""
    file = tmp_path / "none.sqlite3"
    assert not pausing.pause_file(file, "x", keep_answering=False)
    assert not file.exists()
    file.touch()
    assert not pausing.pause_file(file, "x", keep_answering=False)
