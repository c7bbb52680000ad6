"""Staff moved a ticket to another group: where another role than the suggested one has it, they reviewed it.

When tickets were moved is kept: as the system's history tells it once a ticket is closed, until then as it was seen.
"""

from __future__ import annotations

import structlog

from agent.desk import sightings
from agent.desk.desk import Desk
from agent.desk.standing import show
from agent.feedback import reviews
from agent.store import actions, tickets
from agent.store.actions import GroupMove
from agent.store.inbox import Job
from agent.store.tables import utcnow
from connectors.base import Connector
from connectors.errors import Permanent

log = structlog.get_logger()


async def moved(desk: Desk, job: Job) -> None:
    """Record the role of the group in which the ticket is now, if we had suggested another; our comment follows."""
    remote, ticket = await desk.read(job)
    await desk.database.write(sightings.saw, ticket.key, remote)
    at = job.event.occurred_at or utcnow()
    ours = await desk.database.read(actions.ours, ticket.key, remote.group)
    move = GroupMove(ticket_key=ticket.key, at=at, after=remote.group, ours=ours)
    await desk.database.write(actions.moved, move, ticket.group)
    if ours:
        return
    role = desk.classifier.catalogue.of_group(job.source, remote.group)
    decision = await desk.database.read(tickets.last_decision, ticket.key)
    suggested = desk.classifier.catalogue.today(decision.roles if decision else ())
    if remote.closed or role is None or not suggested or role.name in suggested:
        return
    review = reviews.move(ticket.key, role.name, suggested, origin=reviews.origin_of(job.event), at=at)
    await desk.record(job, review)
    await show(desk, job, remote, ticket, None, asked=False)


async def read_history(desk: Desk, connector: Connector, ticket_id: str, key: str) -> None:
    """Keep what the system's history tells of a ticket's moves, where it tells any and shows it to our account."""
    if not connector.capabilities.tells_moves:
        return
    try:
        moves = await connector.read_moves(ticket_id)
    except Permanent as error:
        log.warning("moves_not_read", error=str(error))
        return
    ours = connector.author_id
    kept = [
        GroupMove(ticket_key=key, at=m.at, before=m.before, after=m.after, ours=m.author_id == ours != "", told=True)
        for m in moves
    ]
    await desk.database.write(actions.keep_history, key, kept)
