"""Staff moved a ticket to another group: where another role than the suggested one has it, they reviewed it."""

from __future__ import annotations

from agent.desk import sightings
from agent.desk.desk import Desk
from agent.desk.standing import show
from agent.feedback import reviews
from agent.store import tickets
from agent.store.inbox import Job
from agent.store.tables import utcnow


async def moved(desk: Desk, job: Job) -> None:
    """Record the role of the group in which the ticket is now, if we had suggested another; our comment follows."""
    remote, ticket = await desk.read(job)
    await desk.database.write(sightings.saw, ticket.key, remote)
    role = desk.classifier.catalogue.of_group(job.source, remote.group)
    decision = await desk.database.read(tickets.last_decision, ticket.key)
    suggested = desk.classifier.catalogue.today(decision.roles if decision else ())
    if remote.closed or role is None or not suggested or role.name in suggested:
        return
    at = job.event.occurred_at or utcnow()
    review = reviews.move(ticket.key, role.name, suggested, origin=reviews.origin_of(job.event), at=at)
    await desk.record(job, review)
    await show(desk, job, remote, ticket, None, asked=False)
