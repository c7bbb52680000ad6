"""Show where a ticket stands: what staff said about its role, else our opinion, and the answer to a command below."""

from __future__ import annotations

from agent.desk.created import decide
from agent.desk.desk import Desk, left_alone
from agent.domain import RoleCatalogue, Strength
from agent.feedback import reviews
from agent.notes import wording
from agent.store import comments, tickets
from agent.store.inbox import Job
from agent.store.tables import Review, Ticket
from connectors.errors import TicketNotFound
from connectors.events import Ticket as RemoteTicket
from connectors.note import Note, Paragraph, Section, SectionKind


async def find(desk: Desk, job: Job) -> tuple[RemoteTicket, Ticket, bool] | None:
    """Return the ticket, now and as filed, and whether our comment is on it; None where nothing can be shown there.

    That is where the ticket is gone, or is closed and has no comment that can be edited.
    """
    try:
        remote, ticket = await desk.read(job)
    except TicketNotFound:
        return None
    comment = await desk.database.read(comments.get, ticket.key)
    there = comment is not None and comment.remote_id is not None
    if remote.closed and not (there and desk.connectors[job.source].capabilities.edits_comments):
        return None
    return remote, ticket, there


async def show(
    desk: Desk, job: Job, remote: RemoteTicket, ticket: Ticket, answer: Paragraph | None, *, asked: bool = True
) -> None:
    """Make our comment show where the ticket stands. `asked`: whether a member of staff waits for the answer."""
    review = await desk.database.read(tickets.review_that_counts, ticket.key)
    if review is not None and review.strength >= Strength.MOVED:
        await desk.say(
            job, remote, wording.with_answer(of_review(review, desk.classifier.catalogue), answer), asked=asked
        )
        return
    if left_alone(desk.classifier.settings, job.source, remote, [ticket.group]):
        if answer is not None:
            await desk.say(job, remote, Note((Section(SectionKind.ANSWER, (answer,)),)), asked=asked)
        return
    opinion = await desk.opinion(job, remote.subject, remote.body, ticket.filed_at.date())
    await decide(desk, job, remote, opinion, answer, asked=asked)


def of_review(review: Review, catalogue: RoleCatalogue) -> Note:
    """Return the note on what staff said, with today's names of roles."""
    if not review.roles:
        return wording.none_of_ours()
    replaced = catalogue.today(review.rejected)
    return wording.reviewed(catalogue.today(review.roles), reviews.how(review), replaced)
