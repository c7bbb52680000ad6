"""What was written about each ticket, with the words that it was cut from; kept until the ticket is forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, select

from agent.store.times import time_column

OLDER = "older than solution notes"
"""Shared value of an installation that had tickets before: no notes are written there unless `[writing]` says so."""


FIX, EARLIER = "fix", "earlier"
"""Parts: what helped, and what an earlier text said that helped."""


class WritingKind(StrEnum):
    """What a text about a ticket is."""

    CLOSURE = "closure"
    SUMMARY = "summary"


class Writing(SQLModel, table=True):
    """A text about a ticket, the last of its kind. `shown`: it stands in our comment; else it is a draft.

    `parts` holds [part, [[sentence, number of its message, id of its message], ...]] of each part; `writer` who wrote
    it; `digest` is that of the conversation it was made of.
    """

    ticket_key: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    at: datetime = Field(sa_column=time_column())
    outcome: str
    parts: list[Any] = Field(sa_column=Column(JSON, nullable=False))
    writer: str
    digest: str
    shown: bool


def put(session: Session, writing: Writing) -> None:
    """Store a text in place of the last one of its kind; what comments on other tickets may quote of that is kept."""
    before = session.get(Writing, (writing.ticket_key, writing.kind))
    quoted = dict.fromkeys(sentences(before, FIX, EARLIER)) if before else {}
    earlier = [[said, 0, None] for said in quoted if said not in sentences(writing, FIX)]
    if earlier:
        writing.parts = [*writing.parts, [EARLIER, earlier]]
    session.merge(writing)


def fixes(session: Session, keys: Collection[str]) -> dict[str, str]:
    """Return the first sentence on what helped, of each of these tickets that has one."""
    rows = select(Writing).where(col(Writing.ticket_key).in_(keys), Writing.kind == WritingKind.CLOSURE)
    found = ((row.ticket_key, list(sentences(row, FIX))) for row in session.exec(rows))
    return {key: said[0] for key, said in found if said}


def sentences(row: Writing, *parts: str) -> Iterator[str]:
    """Yield the sentences of these parts; of all where none is named."""
    yield from (said[0] for part, told in row.parts if part in parts or not parts for said in told)


def of_ticket(session: Session, key: str) -> Sequence[Writing]:
    """Return the texts about a ticket, the note on its closure first."""
    rows = (session.get(Writing, (key, kind)) for kind in WritingKind)
    return [row for row in rows if row is not None]
