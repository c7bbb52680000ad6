"""Check that no role is called as a command: only on a desk that is older than the command is that allowed."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, fail, warn
from agent.checks.installation import Installation
from agent.config.roles_file import reserved_words as faults
from agent.core import OLDER
from agent.store import coordination


def reserved_words(installation: Installation) -> Iterator[Finding]:
    """Yield the roles to be renamed, each with its line."""
    database = installation.database
    older = database is not None and database.call(coordination.value, OLDER) is not None
    for fault in faults(installation.settings.roles):
        if older:
            yield warn("roles", f"{fault}; on this desk it goes on meaning the role, until you rename it")
        else:
            yield fail("roles", str(fault))
