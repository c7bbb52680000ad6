"""Find what is kept of tickets that have to be forgotten, and delete it.

A note says what to forget, as pseudonyms: the same note finds the same tickets again in a restored backup.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func
from sqlmodel import Session, col, delete, select, update

from agent.domain import REQUESTER, number_key, pseudonym
from agent.store import writings
from agent.store.connector_data import KEYS, UNFINISHED
from agent.store.tables import Comment, Decision, Inbox, Ticket
from connectors.markup import without_excerpt

Kind = Literal["ticket", "requester", "before"]
TICKET: Kind = "ticket"
BEFORE: Kind = "before"
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Note:
    """What has to be forgotten: `value` is a pseudonym or, of kind "before", an ISO time."""

    at: datetime
    kind: Kind
    value: str


@dataclass(frozen=True, slots=True)
class Found:
    """The tickets to forget, and events about other tickets in which the person wrote."""

    tickets: frozenset[str] = frozenset()
    events: frozenset[int] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The keys under which models may know the tickets: also those before their numbers went to others."""
        return self.tickets | {number_key(ticket) for ticket in self.tickets}


@dataclass(frozen=True, slots=True)
class Quote:
    """A comment of ours on another ticket, with the subjects that it quotes, and sentences on what helped."""

    ticket_key: str
    remote_id: str | None
    subjects: tuple[str, ...]


def find(session: Session, key: bytes, notes: Collection[Note]) -> Found:
    """Return what is kept of what the notes say. `key` is the one that their pseudonyms were made with."""
    values = {kind: {note.value for note in notes if note.kind == kind} for kind in (TICKET, REQUESTER)}
    tickets: set[str] = set()
    if values[TICKET]:
        wanted = values[TICKET]
        # also an older ticket that had the number: who asks knows the number, and cannot know which was meant
        tickets |= {n for n in _names(session) if {pseudonym(key, TICKET, k) for k in (n, number_key(n))} & wanted}
    for note in notes:
        if note.kind == BEFORE:
            filed = select(Ticket.key).where(Ticket.filed_at < datetime.fromisoformat(note.value))
            tickets |= set(session.exec(filed))
        if note.kind == REQUESTER:
            filed = select(Ticket.key).where(Ticket.requester == note.value, Ticket.filed_at <= note.at)
            tickets |= set(session.exec(filed))
    events: set[int] = set()
    if values[REQUESTER]:
        for seq, ticket_key, requester, author in _people(session):
            if requester and pseudonym(key, REQUESTER, requester) in values[REQUESTER]:
                tickets.add(ticket_key)
            elif author and pseudonym(key, REQUESTER, author) in values[REQUESTER]:
                events.add(seq)
    return Found(frozenset(tickets), frozenset(events))


def quoting(session: Session, tickets: Collection[str]) -> list[Quote]:
    """Return our comments on other tickets that may quote these: each ticket that was remembered as similar."""
    known: dict[str, set[str]] = {}
    for ticket in tickets:
        for name in (ticket, number_key(ticket)):
            known.setdefault(name, set()).add(ticket)
    quoted: dict[str, set[str]] = {}
    for decision in _with_neighbours(session, known):
        if decision.ticket_key not in tickets:
            named = {neighbour["ticket"] for neighbour in decision.detail["neighbours"]} & known.keys()
            quoted.setdefault(decision.ticket_key, set()).update(*(known[name] for name in named))
    quotes = []
    for ticket_key, named in sorted(quoted.items()):
        if comment := session.get(Comment, ticket_key):
            rows = [row for name in sorted(named) if (row := session.get(Ticket, name))]
            subjects = [row.subject or row.body for row in rows]
            written = [text for row in rows for text in writings.of_ticket(session, row.key)]
            helped = [said for text in written for said in writings.quotable(text)]
            quotes.append(Quote(ticket_key, comment.remote_id, (*subjects, *helped)))
    return quotes


def forget(session: Session, found: Found, quotes: Collection[Quote], now: datetime) -> None:
    """Delete all that is kept of the tickets, and their excerpts elsewhere; ids and hashes of events stay."""
    for quote in quotes:
        if comment := session.get(Comment, quote.ticket_key):
            comment.text = blanked(comment.text, quote.subjects)
            comment.shown = blanked(comment.shown, quote.subjects) if comment.shown else comment.shown
            comment.staff_text = blanked(comment.staff_text, quote.subjects) if comment.staff_text else None
    for decision in _with_neighbours(session, found.tickets):
        near = [n for n in decision.detail["neighbours"] if n["ticket"] not in found.tickets]
        decision.detail = {**decision.detail, "neighbours": near}
    session.flush()
    textless: dict[str, Any] = {"event": "", "raw": b"", "error": None}
    for names in _chunks(sorted(found.tickets)):
        theirs = col(Inbox.ticket_key).in_(names)
        undone = update(Inbox).where(theirs, col(Inbox.state).in_(UNFINISHED))
        session.execute(undone.values(state="dropped", done_at=now))
        session.execute(update(Inbox).where(theirs).values(textless))
        for table, key in KEYS:
            if table is not Inbox:
                session.execute(delete(table).where(col(key).in_(names)))
    for numbers in _chunks(sorted(found.events)):
        session.execute(update(Inbox).where(col(Inbox.seq).in_(numbers)).values(textless))


def blanked(text: str, subjects: Collection[str]) -> str:
    """Return a comment's text without excerpts of these subjects."""
    for subject in subjects:
        text = without_excerpt(text, subject)
    return text


def unknown_requesters(session: Session) -> int:
    """Return how many tickets are kept of which it is not known who asked."""
    return session.exec(select(func.count()).select_from(Ticket).where(col(Ticket.requester).is_(None))).one()


def _names(session: Session) -> set[str]:
    return {name for _, key in KEYS for name in session.exec(select(key).distinct())}


def _people(session: Session) -> Iterator[tuple[int, str, str | None, str | None]]:
    """Return number, ticket, requester and author of every event whose text is kept."""
    rows = select(Inbox.seq, Inbox.ticket_key, Inbox.event).where(Inbox.event != "")
    for seq, ticket_key, stored in session.exec(rows.execution_options(yield_per=CHUNK)):
        event: Mapping[str, Any] = json.loads(stored)
        message = event.get("message") or event.get("comment") or {}
        yield seq or 0, ticket_key, (event.get("ticket") or {}).get("requester"), message.get("author_id")


def _with_neighbours(session: Session, tickets: Collection[str]) -> Iterator[Decision]:
    """Return the decisions that name one of these tickets as similar."""
    numbers = [
        number
        for number, detail in session.exec(select(Decision.id, Decision.detail)).all()
        if any(neighbour["ticket"] in tickets for neighbour in detail.get("neighbours", ()))
    ]
    for some in _chunks(numbers):
        yield from session.exec(select(Decision).where(col(Decision.id).in_(some))).all()


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
