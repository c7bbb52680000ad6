"""Find tickets by their words, in both databases: their words, and FTS5 in SQLite or tsvector in PostgreSQL over them.

    indexed("Résumé: 网络故障")     # "resume 网 络 故 障"
    sought('resu "网络"')           # (Phrase(("resu",), begun=True), Phrase(("网", "络")))

Words are without case or accents; in scripts without blanks, each character is one. Text and question pass through the
same function, so the databases need to know nothing of languages; whatever syntax a question may seem to have is no
letter or digit, and so is gone. Of a ticket's text the beginning counts.

The databases keep their indexes up to date by themselves (migration 0026), in the transaction that changes the table. A
ticket's row is numbered by when it was filed, so that the newest are found first without looking at the others
(agent/store/finding.py).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Integer, String, Text, text
from sqlmodel import Field, Session, SQLModel

from agent.domain import id_of

if TYPE_CHECKING:
    from agent.store.tables import Ticket

MOST_WORDS, MOST_CHARACTERS, LONGEST_WORD = 10_000, 200_000, 64
"""Of one ticket. PostgreSQL knows the places of the first 16,383 words."""

LONGEST_QUESTION, MOST_PHRASES = 200, 8
SHORTEST_BEGINNING = 3
"""A last word of so many characters also finds longer ones."""

_ALONE = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Japanese and Chinese put no blanks between words."""

_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff"
)
"""Accents, vowel points and vowel signs stand inside of words, and are no letters to `re`."""

_PIECE = re.compile(rf"[{_ALONE}]|(?:[^\W_{_ALONE}]|[{_MARKS}])+")
_UNIT = re.compile(r'"([^"]*)"|([^\s"]+)')
_VOICED = "\u3099\u309a"
"""Marks that make another letter in Japanese."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that have to stand one after another; `begun`: the last one may go on."""

    words: tuple[str, ...]
    begun: bool = False


def indexed(*texts: str) -> str:
    """Return the words of texts, with a blank between any two."""
    words = (word for text in texts for word, _, _ in _pieces(_composed(text[:MOST_CHARACTERS])))
    return " ".join(islice(words, MOST_WORDS))


def sought(question: str) -> tuple[Phrase, ...]:
    """Return what a ticket has to have: every word, and what stands in quotation marks as it stands there."""
    found = []
    for quoted, plain in _UNIT.findall(_composed(question[:LONGEST_QUESTION])):
        words = tuple(word for word, _, _ in _pieces(quoted or plain))
        begun = not quoted and bool(words) and len(words[-1]) >= SHORTEST_BEGINNING
        if words:
            found.append(Phrase(words, begun))
    return tuple(dict.fromkeys(found))[:MOST_PHRASES]


def places(text: str, phrases: Sequence[Phrase]) -> list[tuple[int, int]]:
    """Return where the phrases stand in a text, as pairs of beginning and end, in order and apart."""
    pieces = list(islice(_pieces(text), MOST_WORDS))
    found: list[tuple[int, int]] = []
    for at in range(len(pieces)):
        ends = [pieces[at + len(one.words) - 1][2] for one in phrases if _stands(pieces, at, one)]
        if not ends:
            continue
        begin, end = pieces[at][1], max(ends)
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return found


def _stands(pieces: Sequence[tuple[str, int, int]], at: int, phrase: Phrase) -> bool:
    here = [word for word, _, _ in pieces[at : at + len(phrase.words)]]
    if len(here) < len(phrase.words) or here[:-1] != list(phrase.words[:-1]):
        return False
    return here[-1].startswith(phrase.words[-1]) if phrase.begun else here[-1] == phrase.words[-1]


def _pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each word with its beginning and end in the text."""
    for piece in _PIECE.finditer(text):
        if word := _folded(piece[0]):
            yield word, piece.start(), piece.end()


def _folded(piece: str) -> str:
    if piece.isascii():
        return piece[:LONGEST_WORD].lower()
    apart = unicodedata.normalize("NFKD", piece[:LONGEST_WORD].casefold())
    kept = "".join(one for one in apart if unicodedata.category(one)[0] in "LN" or one in _VOICED)
    return unicodedata.normalize("NFKC", kept.lstrip(_VOICED))  # a mark without a letter is no word to any index


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


SPARE_BITS = 29
"""Below the second at which a ticket was filed: tickets of one second have different numbers."""

MOST_SECONDS = 2**33

TIDY = "INSERT INTO ticket_words_index(ticket_words_index) VALUES ('optimize')"
"""Write the index of SQLite anew without what was deleted, whose words it else keeps until some later merge."""

_ADD = text(
    "INSERT INTO ticket_words (number, ticket_key, words) VALUES (:number, :key, :words) ON CONFLICT DO NOTHING"
    " RETURNING number"
)
_KNOWN = text("SELECT number FROM ticket_words WHERE ticket_key = :key")


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
    words = indexed(id_of(ticket.key), ticket.group or "", ticket.subject, ticket.body)
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
