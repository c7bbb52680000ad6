"""Another ticket was merged into this one: what staff said of its role counts here, and one comment shows it."""

from __future__ import annotations

from agent.desk.desk import Desk
from agent.desk.standing import show
from agent.domain import Strength, ticket_key
from agent.feedback import reviews
from agent.store import comments, tickets
from agent.store.inbox import Job


async def merged(desk: Desk, job: Job) -> None:
    """Take over what staff said in words on the merged ticket, unless they did on this one; our comment follows."""
    remote, ticket = await desk.read(job)
    here = await desk.database.read(tickets.review_that_counts, ticket.key)
    there = await desk.database.read(tickets.review_that_counts, ticket_key(job.source, job.event.merged or ""))
    if there is not None and there.strength >= Strength.CONFIRMED and (here is None or here.strength <= Strength.MOVED):
        review = reviews.of_merged(ticket.key, there, origin=reviews.origin_of(job.event))
        await reviews.record(review, desk.database, desk.classifier.memory, desk.metrics)
    await desk.unite(job, remote)
    comment = await desk.database.read(comments.get, ticket.key)
    commented = comment is not None and comment.remote_id is not None
    if not remote.closed or (commented and desk.connectors[job.source].capabilities.edits_comments):
        await show(desk, job, remote, ticket, None, asked=False)
