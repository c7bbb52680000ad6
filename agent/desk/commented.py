"""Somebody replied: carry out a command of known staff, wherever it stands, and answer it in our comment."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

import structlog

from agent.desk import sightings
from agent.desk.desk import Desk, left_alone
from agent.desk.standing import show
from agent.desk.summed import of_read
from agent.feedback import accounts, reviews
from agent.feedback.commands import (
    Command,
    Confirm,
    Contradictory,
    Correct,
    Misplaced,
    NoneOfOurs,
    NotUnderstood,
    Summarise,
    Undo,
    Why,
    given,
)
from agent.notes import answers, solution
from agent.notes.explaining import NONE, explained
from agent.notes.phrasing import joined, worded
from agent.notes.reasons import why_left_alone
from agent.notes.speak import find_ours
from agent.store import comments, tickets
from agent.store.inbox import Job
from agent.store.tables import Comment, Ticket, utcnow
from agent.triage.explanation import explain
from connectors.events import Message, Visibility
from connectors.events import Ticket as RemoteTicket
from connectors.markup import by_rolecall
from connectors.note import Paragraph

log = structlog.get_logger()


async def commented(desk: Desk, job: Job) -> None:
    """Carry out the command in a reply, as it reads now, if its author is known to be staff.

    Another installation on the same system is not: two that answered each other's comments would do so without end.
    """
    message = job.event.message
    if message is None:
        return
    if given(message.text, desk.classifier.catalogue) is None:
        if not by_rolecall(message.text):
            await desk.database.write(sightings.saw_message, job.ticket_key, message)
        return
    remote, ticket = await desk.read(job, asked=True)
    message = as_it_is(message, remote)
    if (command := given(message.text, desk.classifier.catalogue)) is not None:
        await obey(desk, job, message, remote, ticket, command)
    await desk.database.write(sightings.saw_message, job.ticket_key, message)


def as_it_is(message: Message, remote: RemoteTicket) -> Message:
    """Return a message as the system shows it now; as it was told where it is not among those that are shown."""
    return next((shown for shown in remote.messages if shown.id == message.id and shown.id is not None), message)


async def obey(desk: Desk, job: Job, message: Message, remote: RemoteTicket, ticket: Ticket, command: Command) -> None:
    """Carry out a command if the message's author is known to be staff, and answer it."""
    account = await desk.database.read(accounts.find, job.source, message.author_id)
    if accounts.counts(message, desk.connectors[job.source], account, utcnow()):
        answer = await _carry_out(desk, job, message, remote, ticket, command)
        await show(desk, job, remote, ticket, answer)
    elif not isinstance(command, Misplaced):
        await _refuse(desk, job, message, remote, ticket)


async def _refuse(desk: Desk, job: Job, message: Message, remote: RemoteTicket, ticket: Ticket) -> None:
    """Count the command of an account that is not known as staff, and answer one at most on a ticket."""
    if await desk.database.write(accounts.refuse, job.source, message.author_id, job.seq):
        desk.metrics.refused_commands.labels(job.source).inc()
        log.warning("command_of_unknown_account", account=message.author_id)
    comment = await desk.database.read(comments.get, ticket.key)
    if comment is None or not comment.told_unknown:
        await show(desk, job, remote, ticket, answers.unknown_author(message.author_id), asked=False)
        await desk.database.write(comments.told_unknown, ticket.key)


async def _carry_out(
    desk: Desk, job: Job, message: Message, remote: RemoteTicket, ticket: Ticket, command: Command
) -> Paragraph | None:
    """Carry out a command of staff, and return what there is to answer."""
    names = desk.classifier.catalogue.names
    match command:
        case NotUnderstood(name, close):
            return answers.unknown_role(name, close, names)
        case Misplaced():
            return answers.misplaced()
        case Contradictory():
            return answers.contradictory()
        case Why():
            return await _evidence(desk, job, remote, ticket)
        case Summarise():
            return solution.of_summary(await of_read(desk.database, desk.connectors[job.source], remote))
        case Undo():
            origin, at = reviews.origin_of(job.event), job.event.occurred_at or utcnow()
            who = {"actor": message.author_id, "actor_name": message.author_name, "message_id": message.id}
            undo = reviews.undo(job.ticket_key, origin=origin, at=at, **who)
            undone = await reviews.withdraw(undo, desk.database, desk.classifier.memory)
            return worded(answers.TAKEN_BACK if undone else answers.NOTHING_TO_UNDO)
        case Confirm():
            comment = await desk.database.read(comments.get, job.ticket_key)
            choices = await _choices(desk, job, message, remote, comment)
            if len(choices) != 1:
                return answers.which_one(choices) if choices else worded(answers.NOTHING_TO_CONFIRM)
            await _review(desk, job, message, choices[0])
        case Correct(roles):
            await _review(desk, job, message, roles)
        case NoneOfOurs():
            await _review(desk, job, message, ())
    return worded(answers.PUBLIC) if message.visibility is Visibility.PUBLIC else None


async def _choices(
    desk: Desk, job: Job, message: Message, remote: RemoteTicket, comment: Comment | None
) -> tuple[tuple[str, ...], ...]:
    """Return what our comment offered to confirm when the reply was written; nothing where it was not there yet."""
    if comment is None or not _there_before(message, remote, comment, desk.connectors[job.source].author_id):
        return ()
    if comment.choices is not None:
        return tuple(map(desk.classifier.catalogue.today, comment.choices))
    suggested = await _suggested(desk, job)  # the comment is an earlier release's
    return (suggested,) if suggested else ()


async def _suggested(desk: Desk, job: Job) -> tuple[str, ...]:
    decision = await desk.database.read(tickets.last_decision, job.ticket_key)
    return desk.classifier.catalogue.today(decision.roles if decision else ())


def _there_before(message: Message, remote: RemoteTicket, comment: Comment, author_id: str) -> bool:
    """Return whether our comment was on the ticket before this message."""
    earlier = takewhile(lambda m: m.id != message.id, remote.messages)
    at = message.created_at
    kept = (m for m in earlier if at is None or m.created_at is None or m.created_at <= at)
    before = replace(remote, messages=tuple(kept))
    return find_ours(before, author_id, comment.marker, comment.remote_id) is not None


async def _evidence(desk: Desk, job: Job, remote: RemoteTicket, ticket: Ticket) -> Paragraph:
    if reason := left_alone(desk.classifier.settings, job.source, remote, [ticket.group]):
        return worded(NONE, why=why_left_alone(reason))
    opinion = await desk.opinion(job, remote.subject, remote.body, ticket.filed_at.date())
    subjects = await desk.database.read(tickets.subjects, [n.ticket_key for n in opinion.neighbours])
    return joined(explained(explain(opinion), subjects, desk.classifier.catalogue.roles), " ")


async def _review(desk: Desk, job: Job, message: Message, roles: tuple[str, ...]) -> None:
    review = reviews.answer(
        job.ticket_key,
        roles,
        suggested=await _suggested(desk, job),
        origin=reviews.origin_of(job.event),
        actor=message.author_id,
        at=job.event.occurred_at or utcnow(),
        message_id=message.id,
        actor_name=message.author_name,
    )
    await desk.record(job, review)
