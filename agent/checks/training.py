"""Check that some server trains at night."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, fail, ok
from agent.checks.installation import Installation
from agent.work.schedule import who_trains


def training(installation: Installation) -> Iterator[Finding]:
    """Yield which server trains, or what keeps all of them from it."""
    good, who = who_trains(installation.settings, installation.database)
    yield ok("training", who) if good else fail("training", who)
