"""One trouble that many people report: tickets filed within the hour before one, in nearly the same words.

`ALIKE` and `LEAST` were set by counting: among the 30 tickets before one of 1,200, so many are so much alike for 5 % of
the tickets of an IT desk, 7 % of a city's (both have templates), and none of two desks of German mails.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from agent.domain import Example
from agent.store import tickets
from agent.store.database import Database
from agent.store.tables import Ticket
from agent.text.reading import CLEANER
from agent.triage.memory import embed_kept
from agent.triage.memory_store import CurrentMemory

ALIKE = 0.65
"""Cosine of the frozen encoder's embeddings; paraphrases of one report lie at 0.5 to 0.95."""
LEAST = 4
"""So many others make it a burst."""
WITHIN = timedelta(hours=1)
MOST = 300
"""Tickets that are looked at, the latest: more would slow every answer."""


def burst(database: Database, current: CurrentMemory, key: str) -> tuple[str, ...]:
    """Return the keys of the tickets like this one that were filed within the hour before it, the oldest first.

    Fewer than LEAST are none. Call it off the event loop: the embedding of the ticket is made, and kept.
    """
    ticket = database.call(lambda session: session.get(Ticket, key))
    if ticket is None or not (filed := Example(key, ticket.subject, ticket.body, (), ticket.filed_at)).text:
        return ()
    vector = embed_kept(database, current.encoder, current.fingerprint, [filed])[0]
    before = database.call(_filed_before, key, ticket.filed_at)
    kept = database.call(tickets.known, f"{current.fingerprint}/{CLEANER}", before)
    alike = tuple(other for other in before if other in kept and kept[other] @ vector >= ALIKE)
    return alike if len(alike) >= LEAST else ()


def _filed_before(session: Session, key: str, at: datetime) -> list[str]:
    filed = col(Ticket.filed_at)
    within = select(Ticket.key).where(filed > at - WITHIN, filed <= at, Ticket.key != key)
    return list(session.exec(within.order_by(filed.desc(), col(Ticket.key)).limit(MOST)).all())[::-1]
