"""A ticket was closed: the role that handled it is its label, unless staff named one; how it was solved is noted."""

from __future__ import annotations

from datetime import datetime

from agent.desk import sightings
from agent.desk.concluded import conclude
from agent.desk.desk import Desk
from agent.desk.moved import read_history
from agent.feedback import reviews
from agent.store import tickets
from agent.store.inbox import Job
from agent.store.tables import Ticket, utcnow
from connectors.events import Ticket as RemoteTicket


async def closed(desk: Desk, job: Job) -> None:
    """Record the role that handled the ticket as its label, weaker where we had suggested it; note how it was solved.

    No system tells who closed it: it is put down to the account that the ticket is assigned to.
    A ticket that is open again has none, nor has one that was merged into another: nobody handled it where it is.
    """
    at = job.event.occurred_at or utcnow()
    remote, ticket = await desk.read(job)
    await desk.database.write(sightings.saw, ticket.key, remote)
    if not remote.closed:
        return
    await desk.database.write(tickets.close, ticket.key, at)
    if remote.merged_into is not None:
        return
    await _label(desk, job, remote, ticket, at)
    await read_history(desk, desk.connectors[job.source], remote.id, ticket.key)
    await conclude(desk, job, remote, ticket)


async def _label(desk: Desk, job: Job, remote: RemoteTicket, ticket: Ticket, at: datetime) -> None:
    role = desk.classifier.catalogue.of_group(job.source, remote.group)
    if role is None:
        return
    decision = await desk.database.read(tickets.last_decision, ticket.key)
    suggested = desk.classifier.catalogue.today(decision.roles if decision else ())
    origin, actor = reviews.origin_of(job.event), remote.assignee
    review = reviews.closure(ticket.key, role.name, suggested, origin=origin, at=at, actor=actor)
    await desk.record(job, review)
