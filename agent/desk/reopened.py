"""A ticket was reopened: the role at its closure is not its label any more."""

from __future__ import annotations

from agent.desk import sightings
from agent.desk.desk import Desk
from agent.feedback import reviews
from agent.store import tickets
from agent.store.inbox import Job
from agent.store.tables import utcnow


async def reopened(desk: Desk, job: Job) -> None:
    """Record that the ticket is open, and withdraw the label of its closure; the next closure gives another.

    One that is closed by now keeps the label of its closure.
    """
    remote, ticket = await desk.read(job)
    await desk.database.write(sightings.saw, ticket.key, remote)
    if remote.closed:
        return
    await desk.database.write(tickets.reopen, job.ticket_key)
    if await desk.database.read(tickets.review_that_counts, job.ticket_key) is None:
        return
    review = reviews.reopening(
        job.ticket_key, origin=reviews.origin_of(job.event), at=job.event.occurred_at or utcnow()
    )
    await desk.record(job, review)
