"""A ticket ended: what was wrong with it and what helped is cut from its messages, for the staff who come after.

The note is written from the ticket as it was just read: of the conversation only the sentences in it are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from agent.desk.desk import Desk
from agent.desk.standing import of_review
from agent.domain import Strength, ticket_key
from agent.feedback import accounts
from agent.notes import solution, wording
from agent.store import comments, tickets, writings
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import Ticket, utcnow
from agent.store.writings import Writing, WritingKind
from agent.writing.extractive import seen
from agent.writing.note import Written
from agent.writing.thread import Thread
from connectors.base import Connector
from connectors.errors import TicketNotFound
from connectors.events import AuthorKind, Message, Visibility
from connectors.events import Ticket as RemoteTicket
from connectors.markup import by_rolecall
from connectors.note import Note


async def conclude(desk: Desk, job: Job, remote: RemoteTicket, ticket: Ticket) -> None:
    """Write the note on a ticket that was just read and is closed, and show it once in our comment. Safe to repeat.

    A ticket on which nobody said anything gets none, nor a new comment one that only says that no fix is recorded.
    Where a comment would open the ticket again, the note stays a draft, which its page and `/role summary` show.
    """
    connector = desk.connectors[job.source]
    if desk.closure == "off" or not (told := await conversation(desk.database, connector, remote)).messages[1:]:
        return
    written = await _written(desk, ticket, told)
    comment = await desk.database.read(comments.get, ticket.key)
    there = comment is not None and comment.remote_id is not None
    wanted = connector.capabilities.notes_on_closed and (there or written.says_something)
    new = row(ticket.key, desk.writer.name, written, told, shown=desk.closure == "note" and wanted)
    new.due_at = utcnow() + writings.AFTER if desk.closure == "after 8h" and wanted else None
    await desk.database.write(writings.put, new)
    await _show(desk, job, remote, ticket)


async def judged(desk: Desk, job: Job) -> None:
    """Show the note on a closed ticket as a person, or the time, made it. Nothing where the ticket is open again."""
    try:
        remote, ticket = await desk.read(job)
    except TicketNotFound:
        return
    if remote.closed:
        await _show(desk, job, remote, ticket)


async def _show(desk: Desk, job: Job, remote: RemoteTicket, ticket: Ticket) -> None:
    """Show the stored note in our comment, if it is one to show."""
    stored = await desk.database.read(writings.closing, ticket.key)
    if stored is None or not stored.shown:
        return
    comment = await desk.database.read(comments.get, ticket.key)
    there = comment is not None and comment.remote_id is not None
    note = await _standing(desk, job, remote, ticket) if there else None
    await desk.say(job, remote, note or Note(()))


async def _standing(desk: Desk, job: Job, remote: RemoteTicket, ticket: Ticket) -> Note | None:
    """Return what our comment says of the role; no new opinion is recorded, and one that differs is not shown."""
    review = await desk.database.read(tickets.review_that_counts, ticket.key)
    if review is not None and review.strength >= Strength.MOVED:
        return of_review(review, desk.classifier.catalogue)
    decision = await desk.database.read(tickets.last_decision, ticket.key)
    opinion = await desk.opinion(job, remote.subject, remote.body, ticket.filed_at.date())
    if decision is not None and decision.roles == list(getattr(opinion.verdict, "roles", ())):
        return await desk.note_of(job, remote, opinion)
    return wording.decided(decision.roles, decision.confidence or 0.0) if decision and decision.roles else None


async def conversation(database: Database, connector: Connector, remote: RemoteTicket) -> Thread:
    """Return a ticket's conversation, with who wrote each message as far as that is known; ours are the system's.

    Where we put the ticket's text in order, it is told as it was written.
    """
    key = ticket_key(connector.source, remote.id)
    text = await database.read(writings.as_written, key, remote.body)
    opening = Message(None, remote.requester, text, None, AuthorKind.REQUESTER, Visibility.PUBLIC)
    known = [await _known(database, connector, message, remote) for message in remote.messages]
    people = [message for message in known if message.author_kind is not AuthorKind.SYSTEM]
    return Thread(remote.subject, (opening, *known) if people else (opening,))


async def _known(database: Database, connector: Connector, message: Message, remote: RemoteTicket) -> Message:
    """Return the message with its author's kind.

    Where the operator has named the staff, whoever else writes publicly is a requester.
    """
    if by_rolecall(message.text) or (message.author_id and message.author_id == connector.author_id):
        return replace(message, author_kind=AuthorKind.SYSTEM)
    if message.author_kind is not AuthorKind.UNKNOWN or message.visibility is Visibility.STAFF_ONLY:
        return message
    account = await database.read(accounts.find, connector.source, message.author_id)
    if accounts.counts(message, connector, account, utcnow()):
        return replace(message, author_kind=AuthorKind.STAFF)
    theirs = message.author_id is None or message.author_id == remote.requester
    if theirs or connector.staff is not None:
        return replace(message, author_kind=AuthorKind.REQUESTER)
    return message


async def _written(desk: Desk, ticket: Ticket, told: Thread) -> Written:
    """Return the note: the stored one where the same writer wrote it of the same messages."""
    for stored in await desk.database.read(writings.of_ticket, ticket.key):
        if (stored.writer, stored.digest) == (desk.writer.name, digest(told.messages)):
            return solution.written_of(stored)
    return await desk.writer.write(told)


def row(key: str, writer: str, written: Written, told: Thread, *, shown: bool) -> Writing:
    """Return what is stored of a text."""
    return Writing(
        ticket_key=key,
        kind=WritingKind.CLOSURE,
        at=utcnow(),
        outcome=written.outcome,
        parts=[[part, [[s.text, s.number, s.message_id] for s in sentences]] for part, sentences in written.parts],
        writer=writer,
        digest=digest(told.messages),
        shown=shown,
        seen=seen(told),
    )


def digest(messages: Sequence[Message]) -> str:
    """Return a hash of a conversation: the same messages of people give the same, whatever our comment says."""
    people = (m for m in messages if m.author_kind is not AuthorKind.SYSTEM)
    words = "\x1e".join(f"{m.id}\x1f{m.author_kind}\x1f{m.text}" for m in people)
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]
