"""Remove all comments of ours, as after a trial: one after the other, as often as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from enum import StrEnum

from agent.domain import id_of, source_of
from agent.errors import NotPossibleYet
from agent.notes.removal import Removed, remove
from agent.notes.speak import Speaker
from agent.store import comments
from connectors.base import Connector
from connectors.errors import ConnectorError, TicketNotFound, Transient
from connectors.events import Ticket

TRIES = 3
FAILURES_IN_A_ROW = 5
LONGEST_WAIT = 60.0
"""Seconds that a helpdesk which asks for a pause is left alone before the next try."""


class Unseen(StrEnum):
    """The system does not show the comment's ticket: it was deleted, or is hidden from our account."""

    UNSEEN = "unseen"


async def clear(
    speaker: Speaker, connectors: Mapping[str, Connector], keys: Sequence[str]
) -> AsyncIterator[tuple[str, Removed | Unseen | ConnectorError]]:
    """Remove our comments on these tickets, and yield what became of each. What was removed is never asked for again.

    Raises NotPossibleYet where one after the other fails.
    """
    failed = 0
    for key in keys:
        try:
            outcome: Removed | Unseen | ConnectorError = await _clear(speaker, connectors[source_of(key)], key)
        except ConnectorError as error:
            outcome = error
        yield key, outcome
        failed = failed + 1 if isinstance(outcome, ConnectorError) else 0
        if failed == FAILURES_IN_A_ROW:
            raise NotPossibleYet(
                f"{failed} in a row could not be removed, so try again later; the last one because: {outcome}"
            )


async def _clear(speaker: Speaker, connector: Connector, key: str) -> Removed | Unseen:
    for left in reversed(range(TRIES)):
        try:
            ticket = await _where_it_is(connector, key)
            row = await speaker.database.read(comments.get, key)
            return Removed.GONE if row is None else await remove(speaker, connector, ticket, row)
        except TicketNotFound:
            return Unseen.UNSEEN
        except Transient as error:
            if not left:
                raise
            await asyncio.sleep(min(error.retry_after or 1.0, LONGEST_WAIT))
    raise AssertionError("unreachable")


async def _where_it_is(connector: Connector, key: str) -> Ticket:
    """Return the comment's ticket, or the one that it was merged into with all that was said on it."""
    ticket = await connector.read_ticket(id_of(key))
    seen = {ticket.id}
    while ticket.merged_into is not None and ticket.merged_into not in seen:
        seen.add(ticket.merged_into)
        ticket = await connector.read_ticket(ticket.merged_into)
    return ticket
