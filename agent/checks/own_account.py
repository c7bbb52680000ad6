"""Check that `author_id` is the account that our comments are written by."""

from __future__ import annotations

from collections.abc import AsyncIterator

from agent.checks.finding import Finding, fail
from agent.checks.installation import Installation
from agent.domain import id_of
from agent.store import comments
from connectors.base import Connector
from connectors.errors import ConnectorError


async def own_account(installation: Installation, connector: Connector) -> AsyncIterator[Finding]:
    """Read the ticket of our latest comment, and compare who wrote what bears our mark there."""
    latest = installation.database.call(comments.latest, connector.source) if installation.database else None
    if latest is None:
        return
    number = id_of(latest.ticket_key)
    try:
        ticket = await connector.read_ticket(number)
    except ConnectorError:
        return  # that ticket is gone; whether the system answers is another check's
    authors = [message.author_id for message in ticket.messages if latest.marker in message.text]
    if authors and connector.author_id and connector.author_id not in authors:
        setting = f"connectors.{connector.source}.author_id"
        text = f"{setting} is {connector.author_id}, but our comment on ticket {number} is by {authors[-1]}"
        yield fail(connector.source, f"{text}: set it to that, or leave it out")
