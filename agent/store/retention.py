"""What the nightly job deletes: the text of events that were finished long ago, and rows that nobody asks for any more.

Ids and hashes of events are kept for longer than their text: without them a late repetition would be taken for a new
event. What is kept of a ticket, by its key, stays until it is forgotten (agent.keeping): people's reviews are what
Rolecall knows. deploy/README.md lists every table.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, SQLModel, col, delete, select, update

from agent.store.people import ApiToken, Audit, FailedSignIn, PageSession, User
from agent.store.tables import (
    Account,
    Forgotten,
    Inbox,
    ModelJob,
    OAuthToken,
    SharedFile,
    SharedValue,
    StageMove,
    Tick,
    Training,
    Watermark,
)

FORGOTTEN = ""

IDS_DAYS = 730
TICKS_DAYS = 30
ATTEMPTS_DAYS = 1
LOG_DAYS = 730
TOKENS_DAYS = 30
"""For so long after its end a token is listed as expired."""

MOST_ROWS = 10_000
"""Rows deleted in one night, so that other writes do not wait for long."""

WITHOUT_TICKETS: tuple[type[SQLModel], ...] = (
    Training, ModelJob, Watermark, Tick, SharedValue, SharedFile, Forgotten, Account,
    User, PageSession, FailedSignIn, OAuthToken, ApiToken, StageMove,
)  # fmt: skip
"""Tables in which no ticket's words are; all others are in agent.store.connector_data, by their ticket's key."""


def finished_before(session: Session, moment: datetime, after: int, limit: int) -> Sequence[int]:
    """Return the numbers, in order and above `after`, of events finished before `moment` whose text is still stored."""
    finished = col(Inbox.state).in_(["done", "dropped"]), col(Inbox.done_at) < moment, Inbox.event != FORGOTTEN
    numbers = select(Inbox.seq).where(col(Inbox.seq) > after, *finished).order_by(col(Inbox.seq)).limit(limit)
    return [seq for seq in session.exec(numbers) if seq is not None]


def forget(session: Session, numbers: Sequence[int]) -> None:
    """Delete the text of these events, as received and as parsed."""
    session.execute(update(Inbox).where(col(Inbox.seq).in_(numbers)).values(event=FORGOTTEN, raw=b""))


def delete_expired(session: Session, now: datetime, keep: timedelta) -> None:
    """Delete finished training jobs of the model API after `keep`, what else is due after days of its own."""
    session.execute(delete(ModelJob).where(col(ModelJob.finished_at) < now - keep))
    session.execute(delete(Tick).where(col(Tick.at) < now - timedelta(days=TICKS_DAYS)))
    session.execute(delete(PageSession).where(col(PageSession.expires_at) < now))
    session.execute(delete(ApiToken).where(col(ApiToken.expires_at) < now - timedelta(days=TOKENS_DAYS)))
    session.execute(delete(FailedSignIn).where(col(FailedSignIn.at) < now - timedelta(days=ATTEMPTS_DAYS)))
    session.execute(delete(Audit).where(col(Audit.at) < now - timedelta(days=LOG_DAYS)))
    old = Inbox.event == FORGOTTEN, col(Inbox.done_at) < now - max(keep, timedelta(days=IDS_DAYS))
    numbers = session.exec(select(Inbox.seq).where(*old).limit(MOST_ROWS)).all()
    session.execute(delete(Inbox).where(col(Inbox.seq).in_(numbers)))
