"""Long work says beforehand how long it will take, and remembers how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.cli.console import Console
    from agent.store.database import Database
    from agent.store.run_times import Work

WORTH_SAYING = 5.0  # seconds
MINUTE, HOUR = 60.0, 3600.0


@contextmanager
def foretold(console: Console, database: Database, work: Work, amount: int, what: str) -> Iterator[None]:
    """Announce how long the work in the block will take, and store how long it took, unless it failed."""
    from agent.store import run_times

    expected = database.call(run_times.expected, work, amount)
    if expected.seconds >= WORTH_SAYING:
        basis = "as earlier ones did" if expected.runs else "a first guess"
        console.print(f"{what}: about {in_words(expected.seconds)} ({basis})")
    began = time.monotonic()
    yield
    database.call(run_times.keep, work, amount, time.monotonic() - began)


def in_words(seconds: float) -> str:
    """Return a duration as people say it: "10 seconds", "2 minutes", "1.5 hours"."""
    if seconds < MINUTE:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    if seconds < HOUR:
        minutes = round(seconds / MINUTE)
        return f"{minutes} minute{'s' * (minutes > 1)}"
    hours = round(2 * seconds / HOUR) / 2
    return f"{hours:g} hour{'s' * (hours > 1)}"
