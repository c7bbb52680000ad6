"""Check that there is room for events."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, fail, ok
from agent.checks.installation import Installation
from agent.intake.storage import shortage


def disk(installation: Installation) -> Iterator[Finding]:
    """Compare the room on the database's disk with what has to be left free."""
    if installation.settings.database_url is not None:
        return
    folder = next(path for path in (installation.directory.path, *installation.directory.path.parents) if path.exists())
    short = shortage(folder, installation.settings.intake.min_free_bytes)
    yield fail("disk", short) if short else ok("disk", "room for events")
