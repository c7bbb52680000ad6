"""Somebody replied: carry out a command in a staff-only reply, and answer it in our comment."""

from __future__ import annotations

from agent.desk.created import decide
from agent.desk.desk import Desk
from agent.feedback import reviews
from agent.feedback.commands import Confirm, Contradictory, Correct, Misplaced, NotUnderstood, parse
from agent.notes import wording
from agent.store import tickets
from agent.store.inbox import Job
from agent.store.tables import Ticket, utcnow
from connectors.events import Message, Visibility
from connectors.events import Ticket as RemoteTicket
from connectors.markup import by_rolecall
from connectors.note import Paragraph


async def commented(desk: Desk, job: Job) -> None:
    """Carry out a command in a reply that only staff can read.

    Customers cannot write staff-only replies, so they cannot give commands. Nor can another installation on the same
    system: two that answered each other's comments would do so without end.
    """
    message = job.event.message
    if message is None or message.visibility is not Visibility.STAFF_ONLY or by_rolecall(message.text):
        return
    command = parse(message.text, desk.classifier.catalogue)
    if command is None:
        return
    remote, ticket = await desk.read(job)
    decision = await desk.database.read(tickets.last_decision, ticket.key)
    suggested = desk.classifier.catalogue.today(decision.roles if decision else ())
    match command:
        case NotUnderstood(name, close):
            await _answer(desk, job, remote, ticket, wording.unknown_role(name, close, desk.classifier.catalogue.names))
        case Misplaced():
            await _answer(desk, job, remote, ticket, wording.misplaced())
        case Contradictory():
            await _answer(desk, job, remote, ticket, wording.contradictory())
        case Correct(roles):
            await _review(desk, job, message, remote, roles, suggested)
        case Confirm() if suggested:
            await _review(desk, job, message, remote, suggested, suggested)


async def _answer(desk: Desk, job: Job, remote: RemoteTicket, ticket: Ticket, answer: Paragraph) -> None:
    """Answer in our comment why a command was not carried out, and show the opinion on the ticket."""
    opinion = await desk.opinion(job, remote.subject, remote.body, ticket.filed_at.date())
    await decide(desk, job, remote, opinion, answer)


async def _review(
    desk: Desk,
    job: Job,
    message: Message,
    remote: RemoteTicket,
    roles: tuple[str, ...],
    suggested: tuple[str, ...],
) -> None:
    review = reviews.answer(
        job.ticket_key,
        roles,
        suggested=suggested,
        origin=reviews.origin_of(job.event),
        actor=message.author_id,
        at=job.event.occurred_at or utcnow(),
    )
    await reviews.record(review, desk.database, desk.classifier.memory, desk.metrics)
    await desk.say(job, remote, wording.reviewed(roles, reviews.how(review), review.rejected))
