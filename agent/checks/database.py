"""Check that there is a database whose schema fits this release."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, fail, ok, warn
from agent.checks.installation import Installation
from agent.store.database import newest_version, upgradable
from agent.store.soundness import damage


def database(installation: Installation) -> Iterator[Finding]:
    """Yield which database it is, and what will happen to its schema."""
    where = "setting database_url" if installation.settings.database_url else str(installation.directory.database)
    near = None if installation.settings.database_url else installation.directory.nearest()
    if installation.schema is None and near is not None:
        yield warn(
            "database", f"{where}: none, but there is an installation in {near}: is setting data or --data right?"
        )
    elif installation.schema is None:
        yield ok("database", f"{where}: none yet; `rolecall serve` or `rolecall import` makes it")
    elif not upgradable(installation.schema):
        versions = f"schema {installation.schema}, which is newer: this release needs {newest_version()}"
        yield fail("database", f"{where}: {versions}; install the release that made it, or restore a backup")
    elif installation.database is None:
        versions = f"schema {installation.schema}, this release needs {newest_version()}"
        yield warn("database", f"{where}: {versions}; `rolecall db upgrade` or the next start brings it up to date")
    elif found := damage(installation.database, thorough=True):
        yield fail("database", f"{where} is damaged ({found}): stop the server and restore a backup, see the runbook")
    else:
        yield ok("database", where)
