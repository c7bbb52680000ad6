"""Where a ticket stands, from its messages as its helpdesk shows them now: nothing of the conversation is kept."""

from __future__ import annotations

import asyncio

from agent.desk.concluded import conversation
from agent.store.database import Database
from agent.writing.extractive import summary
from agent.writing.note import Written
from connectors.base import Connector
from connectors.errors import Transient
from connectors.events import Ticket

READ_SECONDS = 15.0
"""How long whoever waits for a summary waits for the helpdesk."""


async def summed(database: Database, connector: Connector, ticket_id: str) -> Written:
    """Read a ticket and return where it stands. Raises ConnectorError where it cannot be read, or not in time."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            remote = await connector.read_ticket(ticket_id)
    except TimeoutError:
        raise Transient(f"no answer within {READ_SECONDS:.0f} s") from None
    return await of_read(database, connector, remote)


async def of_read(database: Database, connector: Connector, remote: Ticket) -> Written:
    """Return where a ticket stands that was just read."""
    return await asyncio.to_thread(summary, await conversation(database, connector, remote))
