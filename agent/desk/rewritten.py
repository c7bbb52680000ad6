"""A message was edited or deleted: what it had said of the role is taken back, and what it says now counts."""

from __future__ import annotations

from agent.desk.commented import as_it_is, obey
from agent.desk.desk import Desk
from agent.desk.standing import show
from agent.feedback import reviews
from agent.feedback.commands import given
from agent.notes import answers
from agent.notes.phrasing import worded
from agent.store import withdrawals
from agent.store.inbox import Job
from agent.store.tables import utcnow
from connectors.events import Message


async def rewritten(desk: Desk, job: Job, message: Message) -> None:
    """Follow an edited message. Deleting one, or making a command of it something else, undoes the command."""
    command = given(message.text, desk.classifier.catalogue)
    if command is None and not await desk.database.read(withdrawals.said, job.ticket_key, message.id):
        return
    remote, ticket = await desk.read(job, asked=True)
    if remote.merged_into is not None:  # a look saw it in the middle of that: its messages moved, with what they said
        return
    message = as_it_is(message, remote)
    command = given(message.text, desk.classifier.catalogue)
    undone = await reviews.withdraw(
        reviews.undo(
            job.ticket_key,
            origin=f"{reviews.origin_of(job.event)}:undo",
            actor=message.author_id,
            at=job.event.occurred_at or utcnow(),
            message_id=message.id,
            actor_name=message.author_name,
        ),
        desk.database,
        desk.classifier.memory,
        withdrawals.withdraw_message,
    )
    if command is not None:
        await obey(desk, job, message, remote, ticket, command)
    elif undone:
        await show(desk, job, remote, ticket, worded(answers.TAKEN_BACK))
