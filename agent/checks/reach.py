"""Check that the ticketing system answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

from agent.checks.finding import Finding, fail, ok
from agent.checks.installation import Installation
from connectors.base import Connector
from connectors.errors import ConnectorError


async def reach(_installation: Installation, connector: Connector) -> AsyncIterator[Finding]:
    """Connect to the system, and pass on what its connector says about it."""
    try:
        yield ok(connector.source, await connector.check())
    except ConnectorError as error:
        yield fail(connector.source, str(error))
