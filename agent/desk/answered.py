"""Somebody gave a ticket's role on a page, took it back, or judged what was written: our comment shows it."""

from __future__ import annotations

from agent.desk.concluded import judged
from agent.desk.desk import Desk
from agent.desk.followed import followed
from agent.desk.standing import find, show
from agent.domain import Strength
from agent.notes import answers
from agent.notes.phrasing import worded
from agent.store import tickets, writings
from agent.store.inbox import Job


async def answered(desk: Desk, job: Job) -> None:
    """Show where the ticket stands, unless it is gone, or closed and has no comment that can be edited."""
    told = job.event.delivery_id
    if told.startswith(writings.JUDGED):
        await judged(desk, job)
        return
    for kind in writings.OFFERED:
        if told.startswith(writings.followed_by(kind)):
            await followed(desk, job, kind)
            return
    if (found := await find(desk, job)) is None:
        return
    remote, ticket, there = found
    review = await desk.database.read(tickets.review_that_counts, ticket.key)
    said = review is not None and review.strength >= Strength.MOVED
    await show(desk, job, remote, ticket, None if said or not there else worded(answers.TAKEN_BACK))
