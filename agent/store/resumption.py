"""Resume comments after a pause, and leave an event for each ticket whose comment may have been withheld meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import and_, or_, text
from sqlmodel import Session, col, select

from agent.domain import id_of, source_of
from agent.store import comments
from agent.store.arrivals import Arrival, accept
from agent.store.inbox import OPEN_EVENTS, Job
from agent.store.tables import Inbox, Ticket
from connectors.events import Event, Kind

SILENT = (Kind.CLOSED, Kind.REOPENED)
"""Events after which nothing is said."""


def resume(session: Session, sources: Collection[str], now: datetime) -> int:
    """Resume comments; return how many tickets of these connectors have been left to catch up on, oldest first."""
    if session.get_bind().dialect.name == "postgresql":
        # else an event that is claimed meanwhile finds the pause, and is not found below
        session.connection().execute(text("LOCK TABLE inbox IN SHARE ROW EXCLUSIVE MODE"))
    since = comments.paused_since(session)
    touched = _touched(session, sources, since) if since is not None else ()
    comments.resume(session)
    return sum(accept(session, [catching_up(source, key, f"{key}-{since}", now) for source, key in touched]))


def step_behind(session: Session, job: Job, now: datetime) -> bool:
    """Queue the ticket again behind its later events; return False where none is open."""
    later = select(Inbox.seq).where(Inbox.ticket_key == job.ticket_key, OPEN_EVENTS, col(Inbox.seq) > job.seq)
    if session.exec(later.limit(1)).first() is None:
        return False
    accept(session, [catching_up(job.source, job.ticket_key, f"after-{job.seq}", now)])
    return True


def _touched(session: Session, sources: Collection[str], since: datetime) -> Iterable[tuple[str, str]]:
    """Return source and key of the tickets that had an event during the pause, or have one in work."""
    during = or_(and_(col(Inbox.state) == "done", col(Inbox.done_at) >= since), col(Inbox.state) == "working")
    events = select(Inbox.ticket_key).where(
        during, col(Inbox.source).in_(sources), col(Inbox.kind).not_in([kind.value for kind in SILENT])
    )
    keys = session.exec(
        select(Ticket.key).where(col(Ticket.key).in_(events)).order_by(col(Ticket.filed_at), col(Ticket.key))
    )
    return [(source_of(key), key) for key in keys]


def after_budget(session: Session, job: Job, now: datetime) -> None:
    """Leave an event for a ticket whose comment only the hour's budget withheld; a pause is caught up on at its end."""
    if comments.paused(session) is None:
        accept(session, [catching_up(job.source, job.ticket_key, f"budget-{job.seq}", now)])


def catching_up(source: str, key: str, name: str, now: datetime) -> Arrival:
    """Return the event that our comment on a ticket has to be brought up to date; `name` says after what."""
    return Arrival(source, Event(Kind.RESUMED, id_of(key), f"resumed-{name}"), b"", now)
