"""A ticket was edited: decide again and update our comment, unless staff have reviewed it; or a message on it was."""

from __future__ import annotations

from agent.desk.created import decide, too_late
from agent.desk.desk import Desk
from agent.desk.rewritten import rewritten
from agent.store.inbox import Job
from agent.triage.cutoffs import Abstained


async def edited(desk: Desk, job: Job) -> None:
    """Decide on the ticket's current text. Training still uses the text as filed.

    If the decision is an abstention, our comment stays as it is.
    """
    if job.event.message is not None:
        await rewritten(desk, job, job.event.message)
        return
    remote, ticket = await desk.read(job)
    if await too_late(desk, ticket, remote):
        return
    opinion = await desk.opinion(job, remote.subject, remote.body, ticket.filed_at.date())
    if not isinstance(opinion.verdict, Abstained):
        await decide(desk, job, remote, opinion)
