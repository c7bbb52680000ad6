"""Check which model serves, and that it does what the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, fail, ok
from agent.checks.installation import Installation
from agent.web.health import NO_MODEL


def model(installation: Installation) -> Iterator[Finding]:
    """Yield which model serves, or why none does."""
    current, problem = installation.active.current, installation.active.problem
    yield fail("model", problem) if problem else ok("model", current.version if current else NO_MODEL)
    if current is not None and not current.keeps(installation.settings.triage.precision_target):
        waits = f"{current.cutoffs.target:g}, as trained: the one asked for waits for the next training"
        yield fail("precision target", waits)
