"""What was written about each ticket, with the words that it was cut from; kept until the ticket is forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Text
from sqlmodel import Field, Session, SQLModel, col, select

from agent.store.coordination import time_column

OLDER = "older than solution notes"
"""Shared value of an installation that had tickets before: no notes are written there unless `[writing]` says so."""


FIX, EARLIER = "fix", "earlier"
"""Parts: what helped, and what an earlier text said that helped."""

FIX_HEADINGS = frozenset(("fix", "lösung", "remède", "solución"))
"""What stands before what helped in a note that a person edited, in the languages of comments."""

AFTER = timedelta(hours=8)
"""After this a draft is shown by itself where `[writing] closure` is "after 8h"."""
WITHHELD = "withheld"
"""The outcome of a subject or text that was not changed because changes are held back."""
JUDGED = "note-"
"""How the ids of the events begin after which a note is shown as people judged it."""


class Verdict(StrEnum):
    """What a person made of a note."""

    ACCEPTED = "accepted"
    EDITED = "edited"
    DISCARDED = "discarded"
    USEFUL = "useful"
    WRONG = "wrong"
    RESTORED = "restored"


REJECTED = (Verdict.DISCARDED, Verdict.WRONG)


class WritingKind(StrEnum):
    """What a text about a ticket is."""

    CLOSURE = "closure"
    SUMMARY = "summary"
    SUBJECT = "subject"
    """A suggested subject that somebody accepted, and the original one."""
    DESCRIPTION = "description"
    """The same of a ticket's text."""


OFFERED = (WritingKind.SUBJECT, WritingKind.DESCRIPTION)
ORIGINAL = "original"
"""Part of an offer: what a person wrote. The other part has the name of its kind."""


class Writing(SQLModel, table=True):
    """A text about a ticket, the last of its kind. `shown`: it stands in our comment; else it is a draft.

    A draft with `due_at` is shown by itself from then on. `verdict` is what the person `judged_by` made of the text,
    and `said` what they wrote in its place.

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
    due_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    verdict: str | None = None
    judged_by: str | None = None
    judged_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    said: str | None = Field(default=None, sa_column=Column(Text))
    seen: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """What was seen of each message by its number: figures alone, to learn from once somebody has judged the note."""


def put(session: Session, writing: Writing) -> None:
    """Store a text in place of the last one of its kind; what comments on other tickets may quote of that is kept.

    What people made of a note stays while its conversation is the same, and so does the time at which a draft is due.
    """
    before = session.get(Writing, (writing.ticket_key, writing.kind))
    if before is not None and before.digest == writing.digest:
        if before.verdict is not None:
            return
        writing.shown = writing.shown or before.shown
        writing.due_at = None if writing.shown or writing.due_at is None else before.due_at or writing.due_at
    quoted = dict.fromkeys(quotable(before)) if before else {}
    earlier = [[said, 0, None] for said in quoted if said not in sentences(writing, FIX)]
    if earlier:
        writing.parts = [*writing.parts, [EARLIER, earlier]]
    session.merge(writing)


def fixes(session: Session, keys: Collection[str]) -> dict[str, str]:
    """Return the first sentence on what helped, of each of these tickets that has one which nobody rejected."""
    rows = select(Writing).where(col(Writing.ticket_key).in_(keys), Writing.kind == WritingKind.CLOSURE)
    found = ((row.ticket_key, list(_helped(row))) for row in session.exec(rows) if row.verdict not in REJECTED)
    return {key: said[0] for key, said in found if said}


def quotable(row: Writing) -> Iterator[str]:
    """Yield what comments on other tickets may quote of a text, or of an earlier one."""
    yield from (*_helped(row), *sentences(row, FIX, EARLIER))


def _helped(row: Writing) -> Iterator[str]:
    """Yield what helped: in the words of the person who edited the note, else in the messages'."""
    if row.said is None:
        yield from sentences(row, FIX)
        return
    lines = [line.strip() for line in row.said.splitlines() if line.strip()]
    headed = (line.partition(":") for line in lines)
    told = [said.strip() for head, _, said in headed if head.strip().casefold() in FIX_HEADINGS]
    yield from (text for text in (*told, *lines) if text)


def offered(session: Session, key: str, kind: WritingKind) -> Writing | None:
    """Return what was last accepted or restored of a ticket's subject, or of its text."""
    return session.get(Writing, (key, kind))


def both(row: Writing) -> tuple[str, str]:
    """Return what was offered and the original."""
    ours, original = (next(sentences(row, part)) for part in (row.kind, ORIGINAL))
    return ours, original


def as_written(session: Session, key: str, body: str) -> str:
    """Return a ticket's text as a person wrote it, where it is the one that we put in order."""
    row = offered(session, key, WritingKind.DESCRIPTION)
    ours, original = both(row) if row is not None else ("", body)
    return original if ours.split() == body.split() else body


def followed_by(kind: WritingKind) -> str:
    """Return how the ids of the events begin after which a ticket gets what was accepted, or its own again."""
    return f"{kind}-"


def became(session: Session, key: str, kind: WritingKind, outcome: str) -> None:
    """Record what became of something accepted or restored: an Acted, or WITHHELD."""
    row = offered(session, key, kind)
    if row is not None:
        row.outcome = outcome


def closing(session: Session, key: str) -> Writing | None:
    """Return the note on a ticket's closure."""
    return session.get(Writing, (key, WritingKind.CLOSURE))


def sentences(row: Writing, *parts: str) -> Iterator[str]:
    """Yield the sentences of these parts; of all where none is named."""
    yield from (said[0] for part, told in row.parts if part in parts or not parts for said in told)


def of_ticket(session: Session, key: str) -> Sequence[Writing]:
    """Return the texts about a ticket, the note on its closure first."""
    rows = (session.get(Writing, (key, kind)) for kind in WritingKind)
    return [row for row in rows if row is not None]
