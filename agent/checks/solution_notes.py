"""Check whether notes on solved tickets are off because the desk is older than they are, and nobody has chosen."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, warn
from agent.checks.installation import Installation
from agent.core import closure


def solution_notes(installation: Installation) -> Iterator[Finding]:
    """Yield what to set on an upgraded desk, for notes or for none."""
    settings, database = installation.settings, installation.database
    chosen = "closure" in settings.writing.model_fields_set
    if not chosen and database is not None and closure(settings, database) == "off":
        choice = '"note", "draft", "after 8h" or "off"'
        text = f"closed tickets get no note on how they were solved: set [writing] closure to {choice}"
        yield warn("writing", text)
