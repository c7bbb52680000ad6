"""Check the queues and tags that [triage] names: one that no ticket ever had leaves nothing alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from agent.checks.finding import Finding, warn
from agent.checks.installation import Installation
from agent.domain import fold
from agent.store.groups import groups_seen
from connectors.base import Connector

SHOWN = 10


def scope(installation: Installation) -> Iterator[Finding]:
    """Yield queues of `only`, `ignore` and `shadow` that no ticket named."""
    settings, database = installation.settings, installation.database
    for place, named in settings.triage.queues.items():
        for source, queues in named.items():
            tickets = database.call(groups_seen, source) if database is not None else frozenset[str]()
            there = tickets or frozenset(settings.connectors[source].groups)
            for queue in queues:
                if there and fold(queue) not in set(map(fold, there)):
                    shown = ", ".join(sorted(there)[:SHOWN])
                    text = f"no ticket of {source} was ever in {queue!r}: is its name right? Seen: {shown}"
                    yield warn(".".join(("triage", *place)), text)


async def tags(installation: Installation, connector: Connector) -> AsyncIterator[Finding]:
    """Yield that a system tells no tags where some should be left alone."""
    if installation.settings.triage.ignore.tags and not connector.capabilities.tags:
        yield warn(connector.source, "tells no tags: triage.ignore.tags leaves none of its tickets alone")
