"""Check what the operator's files hold. A faulty one is told before any check begins."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, ok
from agent.checks.installation import Installation


def files(installation: Installation) -> Iterator[Finding]:
    """Yield a line for each file that sums up what it holds."""
    rules = installation.rules
    yield ok("settings", str(installation.config))
    yield ok("roles", ", ".join(installation.catalogue.names))
    yield ok("rules", f"{len(rules.rules)} rules, version {rules.version}")
