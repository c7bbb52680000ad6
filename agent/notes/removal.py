"""Remove comments of ours: all after a trial, and what comes with a merged ticket to one that has its own.

Like posting: the attempt is stored before the request, and the ticket is looked at before it is repeated. What a person
wrote into our comment stays. Where a system cannot remove, the comment is edited to say that it no longer counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import partial

import structlog

from agent.domain import id_of, ticket_key
from agent.notes.phrasing import rendered, worded
from agent.notes.speak import Speaker, find_ours
from agent.store import comments, removals
from agent.store.tables import Comment, utcnow
from connectors.base import Connector
from connectors.errors import TicketNotFound
from connectors.events import Message, Ticket
from connectors.markup import changed_by_person, mark_there, unsigned, version_of
from connectors.note import Note, Section, SectionKind

log = structlog.get_logger()

MERGED = "This was about ticket {number}, which was merged into this one: see my other comment."
WITHDRAWN = "Withdrawn."


class Removed(StrEnum):
    """What became of a comment that was to go. KEPT: the system lets us neither remove nor edit it."""

    REMOVED = "removed"
    WORDS_LEFT = "words_left"
    REPLACED = "replaced"
    GONE = "gone"
    KEPT = "kept"


async def remove(
    speaker: Speaker, connector: Connector, ticket: Ticket, row: Comment, instead: str = WITHDRAWN, **values: str
) -> Removed:
    """Remove our comment from the ticket where it is, which was just read; safe to repeat. Raises ConnectorError.

    `instead` is what it says afterwards where the system cannot remove.
    """
    speaker.await_settled(row)
    there = await speaker.look(connector, ticket, row)
    removed = Removed.GONE if there is None else await _remove(speaker, connector, ticket, row, there, instead, values)
    if removed is not Removed.KEPT:
        await speaker.database.write(removals.removed, row.ticket_key, utcnow())
        log.info("comment_removed", ticket=row.ticket_key, outcome=removed)
    return removed


async def _remove(
    speaker: Speaker,
    connector: Connector,
    ticket: Ticket,
    row: Comment,
    there: Message,
    instead: str,
    values: dict[str, str],
) -> Removed:
    able, number = connector.capabilities, there.id or ""
    words = row.staff_text
    if row.marker not in there.text or changed_by_person(there.text, row.marker, row.shown, row.version):
        words = unsigned(there.text)
    if words is None and able.removes_comments:
        await speaker.carry_out(row.ticket_key, partial(connector.remove_comment, ticket.id, number))
        return Removed.REMOVED
    if not able.edits_comments:
        return Removed.KEPT
    note = Note((Section(SectionKind.REPLACES, (worded(instead, **values),)),))
    text = rendered(note, able.markup, f"{row.marker}-{version_of(instead)}") if words is None else words
    if there.text != text:
        await speaker.carry_out(row.ticket_key, partial(connector.edit_comment, ticket.id, number, text))
    return Removed.REPLACED if words is None else Removed.WORDS_LEFT


async def unite(speaker: Speaker, connector: Connector, ticket: Ticket, others: Sequence[Message]) -> None:
    """Leave one comment of ours on a ticket, just read, where `others` have marks of other tickets.

    Those of tickets that were merged into this one go; where it has none of its own, the first of them becomes its own.
    """
    key = ticket_key(connector.source, ticket.id)
    marks = {mark for message in others if (mark := mark_there(message.text))}
    for row in await speaker.database.read(removals.of_marks, marks=marks, but=key):
        if not await _merged(connector, row):
            continue
        own = await speaker.database.read(comments.get, key)
        if own is not None and comments.unsettled(own):
            speaker.await_settled(own)
            ticket = await connector.read_ticket(ticket.id)
        if own is None or (own.remote_id is None and not find_ours(ticket, connector.author_id, own.marker, None)):
            await speaker.database.write(removals.hand_over, row.ticket_key, key)
            log.info("comment_came_with_merged_ticket", merged=row.ticket_key)
        else:
            await remove(speaker, connector, ticket, row, MERGED, number=id_of(row.ticket_key))


async def _merged(connector: Connector, row: Comment) -> bool:
    """Return whether the comment's own ticket was merged into another one, or is gone."""
    if row.ticket_key != ticket_key(connector.source, id_of(row.ticket_key)):
        return False
    try:
        return (await connector.read_ticket(id_of(row.ticket_key))).merged_into is not None
    except TicketNotFound:
        return True
