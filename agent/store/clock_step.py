"""Correct the times of waiting events after the machine's clock was set back."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Text, func, update
from sqlmodel import Session, col, select

from agent.store.inbox import NEVER, OPEN_EVENTS, WAITING
from agent.store.tables import Inbox


def latest(session: Session) -> datetime | None:
    """Return the latest time of receipt of the newest event and of all that are open, None where there are none."""
    newest = session.exec(select(Inbox.received_at).order_by(col(Inbox.seq).desc()).limit(1)).first()
    waiting = session.exec(select(func.max(Inbox.received_at)).where(OPEN_EVENTS)).one()
    return max(filter(None, (newest, waiting)), default=None)


def bring_forward(session: Session, by: timedelta) -> None:
    """Bring waiting events forward by as much as the machine's clock was set back. For SQLite only."""
    offset = f"-{by.total_seconds():.3f} seconds"

    def earlier(time: object) -> ColumnElement[str]:
        return func.strftime("%Y-%m-%d %H:%M:%f", time, offset, type_=Text) + "000"

    everything, turns = update(Inbox).where(WAITING), update(Inbox).where(WAITING, col(Inbox.due_at) < NEVER)
    for changed in (
        everything.values(received_at=earlier(Inbox.received_at)),
        turns.values(due_at=earlier(Inbox.due_at)),
    ):
        session.execute(changed, execution_options={"synchronize_session": False})
