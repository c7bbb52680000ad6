"""Import reviewed tickets: years of tickets tagged by hand are the first training data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agent.domain import RoleCatalogue, Strength, Via, ticket_key
from agent.store import tickets
from agent.store.tables import Review, Ticket, utcnow


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A valid row of a history."""

    id: str
    subject: str
    body: str
    roles: tuple[str, ...]
    filed_at: datetime


def take_in(session: Session, source: str, rows: Sequence[Reviewed], actor: str, roles: RoleCatalogue) -> int:
    """Store a few hundred rows as reviewed tickets of `source` and return how many reviews were new.

    A known ticket keeps its text. It is reviewed anew where the row has other roles than its latest import.
    """
    new, now = 0, utcnow()
    stored = tickets.imported(session, [ticket_key(source, row.id) for row in rows])
    for row in rows:
        key = ticket_key(source, row.id)
        if key not in stored:
            session.add(Ticket(key=key, subject=row.subject, body=row.body, filed_at=row.filed_at))
        earlier = stored.setdefault(key, [])
        if earlier and set(roles.today(earlier[-1].roles)) == set(row.roles):
            continue
        review = Review(
            ticket_key=key,
            roles=list(row.roles),
            strength=Strength.CONFIRMED,
            via=Via.IMPORT,
            origin=f"{Via.IMPORT}-{len(earlier) + 1}" if earlier else Via.IMPORT,
            actor=actor,
            at=now if earlier else row.filed_at,
        )
        session.add(review)
        earlier.append(review)
        new += 1
    return new
