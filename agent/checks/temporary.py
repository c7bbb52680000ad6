"""Check that temporary files have a place."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, warn
from agent.checks.installation import Installation
from agent.data_directory import has_temporary_folder


def temporary(installation: Installation) -> Iterator[Finding]:
    """Yield which folder is used where the system has none for this user."""
    if not has_temporary_folder():
        where = installation.directory.temporary
        yield warn("temporary folder", f"none can be written to (TMPDIR, /tmp, ...): {where} is used")
