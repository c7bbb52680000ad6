"""The tables. Times are aware UTC datetimes; lists and structures are JSON.

Secrets: OAuthToken holds tokens as they are, the tables of people (agent.store.people) hashes of theirs; on PostgreSQL
a SharedValue is the key of our comments' marks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Index, LargeBinary, Text, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from agent.domain import TrainingOutcome, Via
from agent.store.actions import Action as Action
from agent.store.actions import GroupMove as GroupMove
from agent.store.coordination import SharedValue as SharedValue
from agent.store.coordination import Tick as Tick
from agent.store.coordination import time_column
from agent.store.coordination import utcnow as utcnow
from agent.store.forgotten import Forgotten as Forgotten
from agent.store.people import Audit as Audit
from agent.store.search import TicketWords as TicketWords
from agent.store.stages import StageMove as StageMove
from agent.store.tokens import OAuthToken as OAuthToken
from agent.store.writings import Writing as Writing

_WAITING, _DEAD = text("state = 'waiting'"), text("state = 'dead'")
_SUSPECT = text("crashes > 0 AND state IN ('waiting', 'working')")
_ANSWER = text("strength >= 4 AND origin <> 'import'")
_OPEN = text("state IN ('waiting', 'working')")


class Inbox(SQLModel, table=True):
    """An accepted event, stored before anything is done about it. `state`: waiting, working, done, dead or dropped.

    `traceparent` (W3C Trace Context) is that of the trace which begins with its receipt, None without tracing.
    """

    __table_args__ = (
        UniqueConstraint("source", "delivery_id", "kind"),
        UniqueConstraint("ticket_key", "kind", "content_hash"),
        Index("ix_inbox_due", "due_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_inbox_dead", "seq", sqlite_where=_DEAD, postgresql_where=_DEAD),
        Index("ix_inbox_dead_ticket", "ticket_key", "seq", sqlite_where=_DEAD, postgresql_where=_DEAD),
        Index("ix_inbox_suspect", "crashes", "due_at", sqlite_where=_SUSPECT, postgresql_where=_SUSPECT),
        Index("ix_inbox_open", "ticket_key", "seq", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    seq: int | None = Field(default=None, primary_key=True)
    source: str
    delivery_id: str
    kind: str
    ticket_key: str
    content_hash: str
    received_at: datetime = Field(sa_column=time_column())
    event: str = Field(sa_column=Column(Text, nullable=False))
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    traceparent: str | None = None
    state: str = "waiting"
    due_at: datetime = Field(sa_column=time_column())
    attempts: int = 0
    crashes: int = 0
    error: str | None = None
    done_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class Ticket(SQLModel, table=True):
    """A ticket as it was filed. Training uses this text, never what was edited later.

    `seen` is what was last seen of it (`connectors.sights.Sight`), None where that is not known.
    `requester` is a pseudonym (agent.domain), None where the system did not say who asked; `drawn`: a check.
    """

    __table_args__ = (
        Index("ix_ticket_drawn_at", "filed_at", "key", sqlite_where=text("drawn = 1"), postgresql_where=text("drawn")),
    )

    key: str = Field(primary_key=True)
    subject: str
    body: str
    group: str | None = None
    url: str | None = None
    filed_at: datetime = Field(sa_column=time_column(index=True))
    closed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    seen: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    requester: str | None = Field(default=None, index=True)
    drawn: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))


class Decision(SQLModel, table=True):
    """The ledger: one row for every decision on a ticket, written before anything is posted.

    `outcome` is an Outcome; `reason` a Reason, "" where there is a suggestion.
    """

    id: int | None = Field(default=None, primary_key=True)
    ticket_key: str = Field(index=True)
    event_seq: int | None = None
    at: datetime = Field(sa_column=time_column())
    outcome: str
    roles: list[str] = Field(sa_column=Column(JSON, nullable=False))
    confidence: float | None = None
    reason: str
    detail: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    model_version: str | None = None
    rules_version: str


class Comment(SQLModel, table=True):
    """Our one comment on a ticket: the text that it should have, and the last attempt to post or edit it.

    `attempted_at` without a later `posted_at`: it may exist, and its request may be in flight. `shown` is the text of
    `version` as the system returned it, `staff_text` what a person made of it, `choices` its note's, `withheld` why
    it is not there. `told_unknown`: an account not known as staff has its answer. After `removed_at` nothing is said.
    """

    __table_args__ = (Index("ix_comment_attempted_at", "attempted_at"),)

    ticket_key: str = Field(primary_key=True)
    marker: str
    text: str
    remote_id: str | None = None
    attempted_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    posted_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    version: str | None = None
    shown: str | None = None
    staff_text: str | None = None
    choices: list[list[str]] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    told_unknown: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    removed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    withheld: str | None = None


class Review(SQLModel, table=True):
    """The role that people gave a ticket. `origin` identifies the occasion, so that a repetition adds nothing.

    `rejected` are roles that we had suggested and that the person replaced; `roles` is empty for a reopened ticket, and
    for one that is none of ours. `withdrawn`: the origin of the undo, also on its own row. `message_id`: what gave it.
    `actor_name`: what people call the account, where the system told that.
    """

    __table_args__ = (
        UniqueConstraint("ticket_key", "origin"),
        Index("ix_review_at", "at", "id"),
        Index("ix_review_answer", "id", sqlite_where=_ANSWER, postgresql_where=_ANSWER),
    )

    id: int | None = Field(default=None, primary_key=True)
    ticket_key: str = Field(index=True)
    roles: list[str] = Field(sa_column=Column(JSON, nullable=False))
    rejected: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    strength: int
    via: str = Via.COMMAND
    origin: str
    actor: str | None = None
    at: datetime = Field(sa_column=time_column())
    withdrawn: str | None = None
    message_id: str | None = None
    actor_name: str | None = None


class Account(SQLModel, table=True):
    """An account of a connected system: whether it is ours, and whether its commands count.

    `account_id` is "" for messages without an account; `trusted_until` lets an upgraded desk go on; `refused` counts
    the commands that did not count, up to the event `last_event`.
    """

    source: str = Field(primary_key=True)
    account_id: str = Field(primary_key=True)
    ours: bool = False
    assigned: bool = False
    trusted_until: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    refused: int = 0
    last_event: int = 0


class Training(SQLModel, table=True):
    """One training run. `outcome` is a TrainingOutcome."""

    id: int | None = Field(default=None, primary_key=True)
    started_at: datetime = Field(sa_column=time_column())
    finished_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    trigger: str
    outcome: str = TrainingOutcome.RUNNING
    version: str | None = None
    reason: str | None = None
    metrics: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class ModelJob(SQLModel, table=True):
    """A classifier that a client of the model API wants trained. `state`: pending, running, completed or failed.

    `request` is emptied at the end, so that no text outlives its use; `digest` identifies a repeated request; `server`
    is the one that runs it.
    """

    __tablename__ = "model_job"

    seq: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    model_name: str = Field(index=True)
    state: str = Field(default="pending", index=True)
    created_at: datetime = Field(sa_column=time_column())
    started_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    finished_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    server: str | None = None
    starts: int = 0
    error: str | None = None
    version: str | None = None
    idempotency_key: str | None = Field(default=None, unique=True)
    digest: str
    request: str = Field(sa_column=Column(Text, nullable=False))


class Embedding(SQLModel, table=True):
    """The embedding of a ticket's text as filed, float32 bytes, by the encoder that made it."""

    ticket_key: str = Field(primary_key=True)
    encoder: str = Field(primary_key=True)
    vector: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Watermark(SQLModel, table=True):
    """How far polling a source has come. Only its connector can interpret the value.

    `history` is how far what was closed before was taken in (`agent.work.backfill.Progress`), None where nobody began.
    """

    source: str = Field(primary_key=True)
    value: str
    history: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True), nullable=True))
    at: datetime = Field(default_factory=utcnow, sa_column=time_column())


class SharedFile(SQLModel, table=True):
    """A part of a file that every server needs, such as a model."""

    __tablename__ = "shared_file"

    name: str = Field(primary_key=True)
    part: int = Field(primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
