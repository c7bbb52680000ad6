"""Tickets that were closed before Rolecall came: each with its last group as a label, as weak as any closure's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete, select

from agent.config.settings import TriageSettings
from agent.desk.concluded import conversation, row
from agent.desk.desk import left_alone
from agent.domain import REQUESTER, RoleCatalogue, Via, pseudonym, ticket_key
from agent.feedback import reviews
from agent.store import search, tickets, writings
from agent.store.connector_data import KEYS
from agent.store.database import Database
from agent.store.tables import Decision, Forgotten, Inbox, Review, Ticket, Watermark, utcnow
from agent.store.writings import Writing
from agent.writing.note import Writer
from connectors.base import Connector
from connectors.events import Event
from connectors.sights import sight

MOST_GROUPS = 200
"""Groups without a role that are counted by name."""

FURTHER = "(further groups)"


@dataclass(slots=True)
class Tally:
    """What became of closed tickets. `unclaimed` counts those whose group is no role's, by group; "" is no group."""

    looked: int = 0
    new: int = 0
    known: int = 0
    left_alone: int = 0
    forgotten: int = 0
    merged: int = 0
    refused: int = 0
    unclaimed: dict[str, int] = field(default_factory=dict)

    def add(self, other: Tally) -> Tally:
        """Return both together; of groups the commonest are kept by name."""
        numbers = (each.name for each in fields(self) if each.name != "unclaimed")
        groups = Counter(self.unclaimed) + Counter(other.unclaimed)
        rare = [group for group, _ in groups.most_common()[MOST_GROUPS:] if group != FURTHER]
        for group in rare:
            groups[FURTHER] += groups.pop(group)
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in numbers}, unclaimed=dict(groups))


@dataclass(frozen=True, slots=True)
class Intake:
    """What decides on a closed ticket. `key` is the one that pseudonyms are made with."""

    connector: Connector
    catalogue: RoleCatalogue
    scope: TriageSettings
    key: bytes


def take_in(session: Session, intake: Intake, closures: Sequence[Event], written: Collection[Writing] = ()) -> Tally:
    """Store closed tickets with their labels, in the caller's transaction, each once however often it is told.

    The closure's review is the one that a webhook or a poll would have given. A known ticket keeps its text. Nothing is
    kept of a ticket whose group is no role's, that was merged into another, is left alone, or had to be forgotten.
    """
    tally, notes = Tally(), session.exec(select(Forgotten)).all()
    notes_by_ticket = {writing.ticket_key: writing for writing in written}
    source = intake.connector.source
    stored = _Known.of(session, [ticket_key(source, event.ticket_id) for event in closures])
    for event in closures:
        remote = event.ticket
        if remote is None or not remote.closed:
            continue
        key = ticket_key(source, remote.id)
        asked_by = pseudonym(intake.key, REQUESTER, remote.requester) if remote.requester else None
        filed_at = remote.created_at or event.occurred_at or utcnow()
        role = intake.catalogue.of_group(source, remote.group)
        if remote.merged_into is not None:
            tally.merged += 1
        elif left_alone(intake.scope, source, remote, (None,)):
            tally.left_alone += 1
        elif _forgotten(notes, pseudonym(intake.key, "ticket", key), asked_by, filed_at):
            tally.forgotten += 1
        elif role is None:
            group = remote.group or ""
            tally.unclaimed[group] = tally.unclaimed.get(group, 0) + 1
        elif (label := stored.label(key, role.name, event, intake.catalogue)) is not None:
            tally.new += 1
            session.add(label)
            if key not in stored.tickets:
                stored.tickets.add(key)
                seen: dict[str, Any] = asdict(sight(remote, intake.connector.author_id))
                search.add(
                    session,
                    Ticket(
                        key=key,
                        subject=remote.subject,
                        body=remote.body,
                        url=remote.url,
                        filed_at=filed_at,
                        closed_at=event.occurred_at,
                        seen=seen,
                        requester=asked_by,
                    ),
                )
            if (writing := notes_by_ticket.get(key)) is not None and not writings.of_ticket(session, key):
                writings.put(session, writing)
        else:
            tally.known += 1
    return tally


def take_out(session: Session, source: str) -> int:
    """Delete the tickets of a system that only its history has brought, and forget how far that was read.

    A ticket that an event or a person told of, or that was decided on, stays. Returns how many went.
    """
    ours = col(Ticket.key).startswith(f"{source}:", autoescape=True)
    told = (
        select(Inbox.ticket_key),
        select(Decision.ticket_key),
        select(Review.ticket_key).where(col(Review.via) != Via.CLOSURE),
    )
    keys = session.exec(select(Ticket.key).where(ours, *(col(Ticket.key).not_in(each) for each in told))).all()
    for start in range(0, len(keys), tickets.CHUNK):
        some = keys[start : start + tickets.CHUNK]
        for table, key in KEYS:
            session.execute(delete(table).where(col(key).in_(some)))
    if (row := session.get(Watermark, source)) is not None:
        row.history = None
    return len(keys)


async def write_up(database: Database, intake: Intake, writer: Writer, closures: Sequence[Event]) -> list[Writing]:
    """Return how closed tickets of ours were solved, in the words of their messages, as drafts."""
    found = []
    for event in closures:
        remote, source = event.ticket, intake.connector.source
        if remote is None or intake.catalogue.of_group(source, remote.group) is None:
            continue
        told = await conversation(database, intake.connector, remote)
        if told.messages[1:]:
            written = await writer.write(told)
            found.append(row(ticket_key(source, remote.id), writer.name, written, told, shown=False))
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What is stored of the tickets of a part: those that are, the reviews of each, and what was suggested last."""

    tickets: set[str]
    reviews: dict[str, list[Review]]
    suggested: dict[str, list[str]]

    @classmethod
    def of(cls, session: Session, keys: Sequence[str]) -> _Known:
        """Look all of them up at once: a history has tens of thousands of tickets."""
        found = cls(set(), {}, {})
        for start in range(0, len(keys), tickets.CHUNK):
            some = keys[start : start + tickets.CHUNK]
            found.tickets.update(session.exec(select(Ticket.key).where(col(Ticket.key).in_(some))))
            for review in session.exec(select(Review).where(col(Review.ticket_key).in_(some))):
                found.reviews.setdefault(review.ticket_key, []).append(review)
            decided = select(Decision).where(col(Decision.ticket_key).in_(some)).order_by(col(Decision.id))
            found.suggested.update({row.ticket_key: row.roles for row in session.exec(decided)})
        return found

    def label(self, key: str, role: str, event: Event, catalogue: RoleCatalogue) -> Review | None:
        """Return the closure's review, None where the ticket has it."""
        at, origin = event.occurred_at or utcnow(), reviews.origin_of(event)
        told = self.reviews.setdefault(key, [])
        if any(row.origin == origin or (row.via == Via.CLOSURE and row.at == at) for row in told):
            return None
        suggested = catalogue.today(self.suggested.get(key, ()))
        actor = event.ticket.assignee if event.ticket else None
        told.append(reviews.closure(key, role, suggested, origin=origin, at=at, actor=actor))
        return told[-1]


def _forgotten(notes: Collection[Forgotten], ticket: str, requester: str | None, filed_at: datetime) -> bool:
    """Return whether a request to forget was about this ticket: the system still has it, we may not."""
    return any(
        note.value == ticket
        if note.kind == "ticket"
        else note.value == requester and filed_at <= note.at
        if note.kind == REQUESTER
        else filed_at < datetime.fromisoformat(note.value)
        for note in notes
    )
