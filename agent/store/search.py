"""Find tickets by their words: FTS5 in SQLite, tsvector in PostgreSQL, both over the same table of plain words.

The databases keep their indexes up to date by themselves (migration 0026), in the transaction that changes the table. A
ticket's row is numbered by when it was filed, so that the newest are found first without looking at the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Integer, String, Text, column, desc, table, text
from sqlmodel import Field, Session, SQLModel, select

from agent.text.search_words import Phrase, indexed

if TYPE_CHECKING:
    from agent.store.tables import Ticket

SPARE_BITS = 29
"""Below the second at which a ticket was filed: tickets of one second have different numbers."""

MOST_SECONDS = 2**33
COUNTED = 1_000
NEWEST = 2**63 - 1
"""No ticket's number is greater."""

TIDY = "INSERT INTO ticket_words_index(ticket_words_index) VALUES ('optimize')"
"""Write the index of SQLite anew without what was deleted, whose words it else keeps until some later merge."""

_ADD = text(
    "INSERT INTO ticket_words (number, ticket_key, words) VALUES (:number, :key, :words) ON CONFLICT DO NOTHING"
    " RETURNING number"
)
_KNOWN = text("SELECT number FROM ticket_words WHERE ticket_key = :key")
_INDEX = table("ticket_words_index", column("rowid"))
_FOUND = {"sqlite": "ticket_words_index MATCH :question", "postgresql": "found @@ to_tsquery('simple', :question)"}


class TicketWords(SQLModel, table=True):
    """The words by which a ticket is found: of its number, group, subject and text as filed."""

    __tablename__ = "ticket_words"

    number: int = Field(
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)
    )
    ticket_key: str = Field(sa_column=Column(String, nullable=False, unique=True))
    words: str = Field(sa_column=Column(Text, nullable=False))


def add(session: Session, ticket: Ticket) -> None:
    """Store a new ticket, as one that can be found."""
    session.add(ticket)
    index(session, ticket)


def index(session: Session, ticket: Ticket) -> None:
    """Make a ticket one that can be found; one that is found already stays as it is."""
    words = indexed(ticket.key.partition(":")[2], ticket.group or "", ticket.subject, ticket.body)
    row: dict[str, Any] = {"number": numbered(ticket.filed_at, ticket.key), "key": ticket.key, "words": words}
    while session.execute(_ADD, row).first() is None:
        if session.execute(_KNOWN, row).first() is not None:
            return
        row["number"] += 1  # another ticket of the same second has it


def numbered(filed_at: datetime, key: str) -> int:
    """Return the number of a ticket: greater for one that was filed in a later second."""
    seconds = max(min(int(filed_at.timestamp()), MOST_SECONDS - 1), -MOST_SECONDS)
    apart = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:4])
    return (seconds << SPARE_BITS) + (apart >> (32 - SPARE_BITS))


def matching(
    session: Session, phrases: Sequence[Phrase], limit: int, before: int | None = None
) -> list[tuple[int, str]]:
    """Return number and key of the newest tickets that have all phrases; those below a number, if it is given."""
    dialect = session.get_bind().dialect.name
    rows = select(TicketWords.number, TicketWords.ticket_key)
    number: Any = TicketWords.number
    if dialect == "sqlite":
        number = _INDEX.c.rowid  # which the index yields in order, as the table's own number it would be sorted
        rows = rows.join(_INDEX, number == TicketWords.number)
    rows = rows.where(text(_FOUND[dialect]).bindparams(question=question(phrases, dialect)))
    rows = rows.where(number < (NEWEST if before is None else before)).order_by(desc(number)).limit(limit)
    return [(number, key) for number, key in session.exec(rows)]


def count(session: Session, phrase: Phrase) -> int:
    """Return how many tickets have a phrase, COUNTED at most."""
    return len(matching(session, [phrase], COUNTED))


def question(phrases: Sequence[Phrase], dialect: str) -> str:
    """Return the question in the words of FTS5, or of a tsquery: of letters and digits alone, nothing is to escape.

    https://www.sqlite.org/fts5.html#full_text_query_syntax,
    https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY
    """
    if dialect == "postgresql":
        quoted = (" <-> ".join(f"'{word}'" for word in one.words) + ":*" * one.begun for one in phrases)
        return " & ".join(f"({phrase})" for phrase in quoted)
    return " AND ".join('"' + " ".join(one.words) + '"' + " *" * one.begun for one in phrases)
