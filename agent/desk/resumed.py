"""Comments were resumed after a pause: our comment on a ticket shows what it did not show meanwhile."""

from __future__ import annotations

from agent.desk.budget import BudgetSpent, await_budget
from agent.desk.desk import Desk
from agent.desk.standing import find, show
from agent.store import comments, resumption
from agent.store.inbox import Job
from agent.store.tables import utcnow


async def resumed(desk: Desk, job: Job) -> None:
    """Show where the ticket stands if it is open, or has our comment. Raises BudgetSpent while that has to wait.

    A person's command does not wait as long: it goes first.
    """
    try:
        await _catch_up(desk, job)
    except BudgetSpent:
        if not await desk.database.write(resumption.step_behind, job, utcnow()):
            raise


async def _catch_up(desk: Desk, job: Job) -> None:
    if desk.speaker.shadow:
        return
    if await desk.database.write(comments.brake, desk.speaker.limits, utcnow()):  # here, since edits know no brake
        await await_budget(desk.database)
        return
    if (found := await find(desk, job)) is None:
        return
    remote, ticket, _ = found
    await show(desk, job, remote, ticket, None, asked=False)
