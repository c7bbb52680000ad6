"""What people make of notes: a draft is accepted, edited or discarded, or its time comes; a shown one is judged."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, select

from agent.domain import id_of, source_of
from agent.store.arrivals import Arrival, accept
from agent.store.writings import EARLIER, JUDGED, Verdict, Writing, quotable
from connectors.events import Event, Kind


def judge(session: Session, row: Writing, verdict: Verdict, who: str, at: datetime, said: str | None = None) -> None:
    """Record what a person made of a note. A rejected draft never shows; a shown note that is wrong says so.

    What somebody wrote in its place stays until somebody else writes something.
    """
    row.verdict, row.judged_by, row.judged_at, row.due_at = verdict, who, at, None
    if said is not None:
        told = [[text, 0, None] for text in dict.fromkeys(quotable(row))]  # other tickets may quote it already
        row.parts = [*(part for part in row.parts if part[0] != EARLIER), [EARLIER, told]]
        row.said = said
    session.add(row)


def show(session: Session, row: Writing, origin: str, at: datetime) -> None:
    """Leave the event after which our comment shows a note as it is now."""
    row.shown = True
    session.add(row)
    tell(session, row.ticket_key, f"{JUDGED}{origin}", at)


def tell(session: Session, key: str, name: str, at: datetime) -> None:
    """Leave the event after which a ticket in its system follows what a person said on a page."""
    accept(session, [Arrival(source_of(key), Event(Kind.ANSWERED, id_of(key), name), b"", at)])


def show_due(session: Session, sources: Collection[str], now: datetime) -> int:
    """Show the drafts of connected systems for which nobody came in time; return how many there were."""
    waiting = select(Writing).where(col(Writing.due_at) <= now, col(Writing.verdict).is_(None))
    rows = [row for row in session.exec(waiting) if source_of(row.ticket_key) in sources]
    for row in rows:
        row.due_at = None
        show(session, row, f"due-{row.ticket_key}-{row.digest}", now)
    return len(rows)
