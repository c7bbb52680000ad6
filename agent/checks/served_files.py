"""Check that all servers on one database serve the same rules and roles, and those that stand here."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, warn
from agent.checks.installation import Installation
from agent.store.served_files import Served, differing, in_words, said, version_of
from agent.store.tables import utcnow

HERE = "this command"


def served_files(installation: Installation) -> Iterator[Finding]:
    """Yield each file in which servers differ; nothing where none of several runs."""
    servers = installation.database.call(said, utcnow()) if installation.database is not None else []
    here = Served(HERE, installation.rules.version, version_of(installation.catalogue))
    for name, versions in differing([*servers, here] if servers else []).items():
        text = (
            f"{name} is not the same everywhere: {in_words(versions)}. Copy one file to all; each takes it up by itself"
        )
        yield warn(name.removesuffix(".toml"), text)
