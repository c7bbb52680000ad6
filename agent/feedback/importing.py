"""Import reviewed tickets: years of tickets tagged by hand are the first training data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agent.domain import RoleCatalogue, Strength, Via, ticket_key
from agent.store import search, tickets
from agent.store.tables import Review, Ticket, utcnow


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A valid row of a history; the last fields are known of a file that Rolecall exported."""

    id: str
    subject: str
    body: str
    roles: tuple[str, ...]
    filed_at: datetime
    strength: Strength = Strength.CONFIRMED
    helpdesk: str | None = None
    at: datetime | None = None
    """When the roles were given."""
    actor: str | None = None
    rejected: tuple[str, ...] = ()
    requester: str | None = None
    others: tuple[str, ...] = ()
    """Labels beside the roles that are no roles: they are left out."""


def take_in(session: Session, source: str, rows: Sequence[Reviewed], actor: str, roles: RoleCatalogue) -> int:
    """Store a few hundred rows as reviewed tickets of `source` and return how many reviews were new.

    A known ticket keeps its text. It is reviewed anew where the row has other roles than its latest import.
    """
    new, now = 0, utcnow()
    keys = [ticket_key(row.helpdesk or source, row.id) for row in rows]
    stored = tickets.imported(session, keys)
    standing = tickets.standing(session, keys)
    given = {(review.ticket_key, review.at, frozenset(roles.today(review.roles))) for review in standing}
    for key, row in zip(keys, rows, strict=True):
        if key not in stored:
            ticket = Ticket(key=key, subject=row.subject, body=row.body, filed_at=row.filed_at, requester=row.requester)
            search.add(session, ticket)
        earlier = stored.setdefault(key, [])
        if (earlier and set(roles.today(earlier[-1].roles)) == set(row.roles)) or (
            key,
            row.at,
            frozenset(row.roles),
        ) in given:
            continue
        review = Review(
            ticket_key=key,
            roles=list(row.roles),
            rejected=list(row.rejected),
            strength=row.strength,
            via=Via.IMPORT,
            origin=f"{Via.IMPORT}-{len(earlier) + 1}" if earlier else Via.IMPORT,
            actor=row.actor if row.at else actor,
            at=row.at or (now if earlier else row.filed_at),
        )
        session.add(review)
        earlier.append(review)
        new += 1
    return new
