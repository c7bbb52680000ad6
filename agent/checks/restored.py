"""Check whether a ticketing system was restored from a backup: it then gives ticket numbers again."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, warn
from agent.checks.installation import Installation
from agent.store import coordination
from agent.work.poll import RESTORED


def restored(installation: Installation) -> Iterator[Finding]:
    """Yield each connected system that was seen to give numbers again, and when."""
    database = installation.database
    for name in installation.settings.connectors if database is not None else ():
        at = database.call(coordination.value, f"{RESTORED}{name}") if database is not None else None
        if at is not None:
            text = f"was restored from a backup, as seen at {at}: tickets that got an earlier number are taken as new"
            yield warn(name, text)
