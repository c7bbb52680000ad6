"""How long work takes is said from what earlier runs took; the first time from figures measured elsewhere."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli.console import Console, Heartbeat, foretold, in_words
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


def test_in_a_file_long_work_says_every_minute_how_far_it_is() -> None:
    shown = io.StringIO()
    heart = Heartbeat(Console(file=shown, width=200), "training on [150] tickets", expected=120.0)
    waits: list[float] = []

    def over(seconds: float) -> bool:
        waits.append(seconds)
        heart.step = "tuning the encoder, 40 of 90" if len(waits) > 1 else ""
        return len(waits) > 3

    heart.beat(over)
    assert waits == [60.0] * 4
    assert shown.getvalue().splitlines() == [
        "training on [150] tickets, 1 minute of about 2 minutes",
        "training on [150] tickets, 2 minutes of about 2 minutes: tuning the encoder, 40 of 90",
        "training on [150] tickets, 3 minutes: tuning the encoder, 40 of 90",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_has_a_bar_instead(database: Database, monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    beaten = threading.Event()
    monkeypatch.setattr(Heartbeat, "beat", lambda self, over: beaten.set())
    with foretold(Console(file=io.StringIO(), force_terminal=terminal), database, Work.CLEAN, 1, "a trifle"):
        assert terminal or beaten.wait(60)
    assert beaten.is_set() is not terminal


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "5 seconds"), (12, "10 seconds"), (59, "60 seconds"), (61, "1 minute"), (200, "3 minutes"),
     (3700, "1 hour"), (5400, "1.5 hours")],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
