"""A system that was restored from a backup is older than what we saw: nobody deleted what is missing there.

Connectors notice it once numbers are given again (`Poll.restored`). Before that, it shows in what is missing: the
latest messages of several tickets at once, and nothing that is newer is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from agent.domain import id_of, ticket_key
from agent.store.arrivals import Arrival
from agent.store.resumption import catching_up
from agent.store.tables import Comment, Ticket
from connectors.base import LOOK_BACK
from connectors.events import Ticket as RemoteTicket
from connectors.markup import version_there
from connectors.sights import Sight, vanished

LEAST_TICKETS = 2
"""One ticket may have lost its newest note because somebody deleted it."""


def fell_back(session: Session, source: str, shown: Sequence[RemoteTicket], now: datetime) -> bool:
    """Return whether the latest messages are missing on several tickets, or on one, with later tickets gone as well.

    Systems whose numbers do not grow never show it.
    """
    remote = {ticket_key(source, ticket.id): ticket for ticket in shown}
    lost: dict[str, list[str]] = {}
    for row in session.exec(select(Ticket).where(col(Ticket.key).in_(remote), col(Ticket.seen).is_not(None))):
        if gone := vanished(Sight(**row.seen or {}), remote[row.key]):
            lost[row.key] = gone
    there = [message.id or "" for ticket in shown for message in ticket.messages]
    missing = [number for numbers in lost.values() for number in numbers]
    if not missing or not all(number.isdecimal() for number in (*there, *missing, *(ticket.id for ticket in shown))):
        return False
    if max(map(int, there), default=0) > min(map(int, missing)):
        return False
    last = max(int(ticket.id) for ticket in shown)
    return len(lost) >= LEAST_TICKETS or len(lost) + _gone(session, source, last, now) >= LEAST_TICKETS


def _gone(session: Session, source: str, last: int, now: datetime) -> int:
    """Return how many tickets with a number above the `last` one that is there were open when last seen, just now."""
    theirs = col(Ticket.key).startswith(f"{source}:", autoescape=True), Ticket.filed_at > now - LOOK_BACK
    newest = session.exec(select(Ticket).where(*theirs)).all()
    numbers = [id_of(row.key) for row in newest if row.seen is not None and not row.seen["closed"]]
    return sum(number.isdecimal() and int(number) > last for number in numbers)


def behind(session: Session, source: str, shown: Sequence[RemoteTicket], now: datetime) -> list[Arrival]:
    """Return an event for each ticket on which our comment is gone or older than it was, to bring it up to date.

    Nobody deleted what the backup did not hold: it is posted again where the ticket is open.
    """
    arrivals = []
    for ticket in shown:
        comment = session.get(Comment, ticket_key(source, ticket.id))
        if comment is None or comment.remote_id is None or comment.removed_at is not None:
            continue
        ours = [m for m in ticket.messages if m.id == comment.remote_id or comment.marker in m.text]
        if ours and any(version_there(m.text, comment.marker) in (comment.version, None) for m in ours):
            continue
        if not ours:
            comment.remote_id = comment.version = comment.shown = comment.staff_text = comment.choices = None
            comment.attempted_at = comment.posted_at = None
        if ours or not ticket.closed:
            arrivals.append(catching_up(source, comment.ticket_key, f"{comment.ticket_key}-restored-{now}", now))
    return arrivals
