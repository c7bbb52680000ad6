"""A better subject, or a text in order: accepted with one click, and the original restored with one.

The row, its line in the log and the event after which the ticket in its system follows are stored together, or not at
all. A text in order is the words of the text itself under headings, above the text as it was written.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlmodel import Session
from starlette.responses import Response

from agent.domain import source_of
from agent.notes.phrasing import rendered
from agent.pages.feedback import key_of, known
from agent.pages.guard import Refused, Visit
from agent.pages.signing import audit
from agent.pages.site import Site
from agent.store import verdicts, writings
from agent.store.actions import Acted
from agent.store.tables import Ticket
from agent.store.writings import ORIGINAL, Verdict, Writing, WritingKind
from agent.writing.description import better_subject, describe, says_too_little
from agent.writing.thread import as_written
from connectors.base import Field, Markup
from connectors.note import Note, Section, SectionKind, Span, Style

KEPT = (Acted.OVERTAKEN, Acted.UNSURE, Acted.REFUSED, Acted.IGNORED, writings.WITHHELD)
"""Outcomes after which the ticket has the words that it had."""
LEAST_FACTS = 2
"""A text of which less was found is not put in order."""
LONGEST_TEXT = 20_000
"""Characters of a text that is."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered for words of a ticket, and the words themselves. `accepted`: it has ours, as far as we know.

    `kept`: why the ticket kept the words that it had when somebody last asked for the others, "" where it did not.
    """

    kind: WritingKind
    better: str
    original: str
    accepted: bool
    who: str
    kept: str = ""

    @property
    def seen(self) -> str:
        """What a form repeats, so that nothing is accepted but what was shown."""
        return hashlib.sha256(self.better.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def offer(site: Site, ticket: Ticket, kind: WritingKind, row: Writing | None) -> Offer | None:
    """Return what is offered, or was accepted, where the ticket's system lets us change it."""
    connector = site.connectors.get(source_of(ticket.key))
    if connector is None or Field(kind) not in connector.capabilities.changes:
        return None
    if row is not None:
        ours, original = writings.both(row)
        kept = row.outcome if row.outcome in KEPT else ""
        accepted = (row.verdict == Verdict.ACCEPTED) != bool(kept)
        return Offer(kind, ours, original, accepted, row.judged_by or "", kept)
    if site.settings.triage.shadow:
        return None
    if kind is WritingKind.SUBJECT:
        better, original = _subject(ticket), ticket.subject
    else:
        better, original = _in_order(site, ticket, connector.capabilities.described_in), ticket.body
    return Offer(kind, better, original, accepted=False, who="") if better else None


def _subject(ticket: Ticket) -> str | None:
    if not says_too_little(ticket.subject):
        return None
    return better_subject(as_written(ticket.subject, ticket.body))


def _in_order(site: Site, ticket: Ticket, markup: Markup | None) -> str | None:
    """Return a ticket's text under headings, above the text as it was written; None where that would say no more."""
    if markup is None or len(ticket.body) > LONGEST_TEXT:
        return None
    found = describe(as_written(ticket.subject, ticket.body)).found
    if len(found) < LEAST_FACTS:
        return None

    def heading(key: str) -> Span:
        return Span(f"{site.texts(f'description.{key}').unescape()}:", Style.STRONG)

    facts = [(heading(aspect), Span(" "), Span(value, Style.QUOTED)) for aspect, value in found]
    note = Note((Section(SectionKind.ANSWER, (*facts, (heading("as_written"),))),))
    return f"{rendered(note, markup)}\n\n{ticket.body}"


async def answer_subject(visit: Visit) -> Response:
    """Accept a suggested subject, or restore the original one, and go back to the ticket."""
    return await _answer(visit, WritingKind.SUBJECT)


async def answer_description(visit: Visit) -> Response:
    """Accept a text in order, or restore the original one, and go back to the ticket."""
    return await _answer(visit, WritingKind.DESCRIPTION)


async def _answer(visit: Visit, kind: WritingKind) -> Response:
    key, site = key_of(visit), visit.site
    if visit.paused is not None:
        raise Refused(409, "paused")
    await known(visit)
    await site.database.write(_judge, visit, key, kind)
    site.wake.set()
    return visit.back(str(site.words.ticket(key)))


def _judge(session: Session, visit: Visit, key: str, kind: WritingKind) -> None:
    ticket, row, accepts = session.get(Ticket, key), writings.offered(session, key, kind), visit.field("do") == "accept"
    found = offer(visit.site, ticket, kind, row) if ticket is not None else None
    if found is None or found.accepted is accepts or found.seen != visit.field("seen"):
        raise Refused(409, "note_changed")
    verdict, now, who = Verdict.ACCEPTED if accepts else Verdict.RESTORED, visit.site.now(), visit.who.name
    parts = [[kind, [[found.better, 1, None]]], [ORIGINAL, [[found.original, 1, None]]]]
    new = Writing(
        ticket_key=key, kind=kind, at=now, outcome=verdict, parts=parts, writer="rules", digest="",
        shown=accepts, verdict=verdict, judged_by=who, judged_at=now,
    )  # fmt: skip
    session.merge(new)
    audit.note(session, who, audit.Action(kind), now, key, verdict=verdict)
    verdicts.tell(session, key, f"{writings.followed_by(kind)}{secrets.token_hex(16)}", now)
