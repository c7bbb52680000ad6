"""How long work takes is said from what earlier runs took; the first time from figures measured elsewhere."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli.console import Console
from agent.cli.duration import foretold, in_words
from agent.store import run_times
from agent.store.database import Database
from agent.store.run_times import MEASURED, Work


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open_file(tmp_path / "db.sqlite3")
    yield database
    database.close()


def test_the_first_time_is_a_guess_and_later_ones_follow_this_machine(database: Database) -> None:
    begin, each = MEASURED[Work.STUDY]
    first = database.call(run_times.expected, Work.STUDY, 1000)
    assert (first.seconds, first.runs) == (begin + 1000 * each, 0)
    for amount in (100, 500, 1000):  # three times as slow, whatever there is to do
        database.call(run_times.keep, Work.STUDY, amount, 3 * (begin + each * amount))
    later = database.call(run_times.expected, Work.STUDY, 2000)
    assert later.runs == 3
    assert later.seconds == pytest.approx(3 * (begin + 2000 * each), rel=0.01)
    assert database.call(run_times.expected, Work.CLEAN, 10).runs == 0


def test_only_the_latest_runs_are_kept(database: Database) -> None:
    for _ in range(20):
        database.call(run_times.keep, Work.CLEAN, 100, 1.0)
    for _ in range(run_times.KEPT):
        database.call(run_times.keep, Work.CLEAN, 0, 50.0)
    now = database.call(run_times.expected, Work.CLEAN, 0)
    assert (now.seconds, now.runs) == (pytest.approx(50.0), run_times.KEPT)


def test_long_work_says_so_beforehand_and_only_a_run_that_ended_is_counted(database: Database) -> None:
    shown = io.StringIO()
    console = Console(file=shown)
    with foretold(console, database, Work.CLEAN, 1, "a trifle"):
        pass
    with pytest.raises(RuntimeError), foretold(console, database, Work.STUDY, 10_000, "replaying"):
        raise RuntimeError
    said = shown.getvalue()
    assert "replaying: about 13 minutes (a first guess)" in said
    assert database.call(run_times.expected, Work.CLEAN, 1).runs == 1
    assert database.call(run_times.expected, Work.STUDY, 1).runs == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "5 seconds"), (12, "10 seconds"), (59, "60 seconds"), (61, "1 minute"), (200, "3 minutes"),
     (3700, "1 hour"), (5400, "1.5 hours")],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
