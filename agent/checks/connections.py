"""Check that something is connected, and that the roles speak of what is."""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.finding import Finding, fail, warn
from agent.checks.installation import Installation


def connections(installation: Installation) -> Iterator[Finding]:
    """Compare the connectors of the settings with those that roles have groups of."""
    connected = installation.settings.connectors.keys()
    for source in sorted(installation.catalogue.sources - connected):
        yield warn("roles", f"groups of {source}, which is no connector of these settings")
    if not connected:
        yield fail("connectors", "none configured: nobody can send tickets")
