"""Tickets: listed, found, one of them, what led to its suggestion, and where it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Annotated

import msgspec
from fastapi import Query
from sqlmodel import Session
from starlette.requests import Request

from agent.domain import source_of
from agent.model_api.web import bodies
from agent.pages import search as page
from agent.pages.feedback import known
from agent.pages.guard import Refused, Visit
from agent.pages.standing import Standing, filed_before, of_tickets, standings
from agent.pages.summary import written
from agent.pages.today import SCANNED, cursor
from agent.programs.access import Caller
from agent.programs.answers import (
    Explanation,
    Summary,
    TicketAnswer,
    Tickets,
    WholeTicket,
)
from agent.programs.shown import explanation, hidden, of_standing, whole
from agent.store import finding, tickets, writings
from agent.store.search import LONGEST_QUESTION, Phrase, sought
from agent.triage.opinion import Opinion

Words = Annotated[str, Query(max_length=LONGEST_QUESTION, description="All of these words, as on the page *Search*.")]
Text = Annotated[str, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=100)]


class Described(msgspec.Struct, forbid_unknown_fields=True):
    """A text that a ticket might have."""

    subject: Annotated[str, msgspec.Meta(max_length=1_000)]
    body: Annotated[str, msgspec.Meta(max_length=50_000)] = ""
    helpdesk: Annotated[str, msgspec.Meta(max_length=100)] | None = None


async def listed(
    visit: Caller, q: Words = "", state: Annotated[Text, Query(alias="is")] = "", role: Text = "", helpdesk: Text = "",
    before: Text = "", limit: Limit = 25,
) -> Tickets:  # fmt: skip
    """List tickets, newest first, behind filters: `is` as on *Today*, a role, a helpdesk, words.

    With filters a page may hold fewer than `limit`: go on with `next` until that is null.
    """
    asked = page.Asked.of(visit)
    wrong = [name for name, given, taken in (
        ("is", state not in ("", "all"), asked.state), ("role", role, asked.role),
        ("helpdesk", helpdesk, asked.helpdesk),
    ) if given and not taken]  # fmt: skip
    phrases = sought(q)
    if wrong or (q.strip() and not phrases):
        raise Refused(400, "no_filter", name=", ".join(wrong) or "q")
    rows, following = await visit.read(_read, visit, asked, phrases, before, limit)
    found = [TicketAnswer.model_validate(of_standing(visit, row)) for row in rows]
    return Tickets(tickets=found, next=following)


def _read(
    session: Session, visit: Visit, asked: page.Asked, phrases: Sequence[Phrase], before: str, limit: int
) -> tuple[list[Standing], str | None]:
    scanned, unread = SCANNED if asked.filtered else limit + 1, None
    if phrases:
        found = finding.matching(session, phrases, scanned, asked.before)
        places, unread = {key: str(number) for number, key in found.rows}, found.unread
        rows = of_tickets(session, list(places))
    else:
        at, key = cursor(before)
        rows = standings(session, filed_before(session, scanned, at, key))
        places = {row.ticket.key: f"{row.ticket.filed_at.timestamp():.6f}~{row.ticket.key}" for row in rows}
    fitting = [row for row in rows if page.fits(visit, asked, row)]
    if len(fitting) > limit:
        return fitting[:limit], places[fitting[limit - 1].ticket.key]
    more = places[rows[-1].ticket.key] if len(places) == scanned and rows else None
    return fitting, more if unread is None else str(unread)


async def one(visit: Caller) -> WholeTicket:
    """Return one ticket with its text as filed."""
    return whole(visit, await known(visit))


async def explained(visit: Caller) -> Explanation:
    """Return what speaks for each role on a ticket, as its page shows it: rules, similar tickets with fixes, model."""
    standing = await known(visit)
    if hidden(visit, standing):
        raise Refused(409, "random_check")
    ticket, classifier = standing.ticket, visit.site.classifier
    day, source = ticket.filed_at.date(), source_of(ticket.key)
    opinion = await asyncio.to_thread(
        classifier.opinion, ticket.subject, ticket.body, day, hidden=ticket.key, source=source
    )
    return await _explanation(visit, opinion)


async def suggested(visit: Caller, request: Request) -> Explanation:
    """Return what would be suggested on a text, and why, as `rolecall predict` does. Nothing is kept or posted."""
    given = await bodies.read(request, Described)
    source = given.helpdesk if given.helpdesk in visit.site.connectors else None
    if given.helpdesk is not None and source is None:
        raise Refused(400, "no_filter", name="helpdesk")
    classifier = visit.site.classifier
    opinion = await asyncio.to_thread(classifier.opinion, given.subject, given.body, date.today(), source=source)
    return await _explanation(visit, opinion)


async def summed_up(visit: Caller) -> Summary:
    """Return where a ticket stands, read from its helpdesk now, as `/role summary` does."""
    _, lines = await written(visit)
    return Summary(text=lines)


async def _explanation(visit: Visit, opinion: Opinion) -> Explanation:
    keys = [near.ticket_key for near in opinion.neighbours]
    subjects, fixes = await visit.read(_similar, keys)
    return explanation(visit, opinion, subjects, fixes)


def _similar(session: Session, keys: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    return tickets.subjects(session, keys), writings.fixes(session, keys)
