"""Delete the text of events that were finished long ago, and keep their ids and hashes.

Without these a late repetition would be taken for a new event.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select, update

from agent.store.tables import Inbox

FORGOTTEN = ""


def finished_before(session: Session, moment: datetime, after: int, limit: int) -> Sequence[int]:
    """Return the numbers, in order and above `after`, of events finished before `moment` whose text is still stored."""
    finished = col(Inbox.state).in_(["done", "dropped"]), col(Inbox.done_at) < moment, Inbox.event != FORGOTTEN
    numbers = select(Inbox.seq).where(col(Inbox.seq) > after, *finished).order_by(col(Inbox.seq)).limit(limit)
    return [seq for seq in session.exec(numbers) if seq is not None]


def forget(session: Session, numbers: Sequence[int]) -> None:
    """Delete the text of these events, as received and as parsed."""
    session.execute(update(Inbox).where(col(Inbox.seq).in_(numbers)).values(event=FORGOTTEN, raw=b""))
