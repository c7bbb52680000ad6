"""What Rolecall does about each kind of event: one handler per file, listed here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog

from agent.desk.answered import answered
from agent.desk.closed import closed
from agent.desk.commented import commented
from agent.desk.created import created, leave_alone
from agent.desk.desk import AnotherTicket, Desk, LeftAlone
from agent.desk.edited import edited
from agent.desk.merged import merged
from agent.desk.moved import moved
from agent.desk.reopened import reopened
from agent.desk.resumed import resumed
from agent.store.inbox import Job
from connectors.events import Kind

log = structlog.get_logger()

__all__ = ["HANDLERS", "Desk", "handle"]

HANDLERS: Mapping[Kind, Callable[[Desk, Job], Awaitable[None]]] = {
    Kind.CREATED: created,
    Kind.COMMENTED: commented,
    Kind.EDITED: edited,
    Kind.MOVED: moved,
    Kind.MERGED: merged,
    Kind.CLOSED: closed,
    Kind.REOPENED: reopened,
    Kind.RESUMED: resumed,
    Kind.ANSWERED: answered,
}
"""Each raises ConnectorError, is safe to repeat, and reads the ticket once at most unless an attempt is outstanding."""


async def handle(desk: Desk, job: Job) -> None:
    """Call the handler for the event's kind, unless its ticket is left alone or gone. Raises ConnectorError."""
    try:
        await HANDLERS[job.event.kind](desk, job)
    except LeftAlone as left:
        await leave_alone(desk, job, left.reason)
    except AnotherTicket:
        log.warning("event_of_a_ticket_that_is_gone")
