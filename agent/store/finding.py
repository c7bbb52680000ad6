"""Which tickets have the words asked for, the newest first: of all, or of those that a limited account sees.

    found = matching(session, sought("paper jam"), 26)     # found.rows, found.unread

An account that sees few tickets has its own read through. For one that sees many, they are looked for among the newest
with these words, step by step: what is older than the last step is a page further. Where that page begins is told by
the tickets that the account sees: the number of a ticket tells when it was filed, and whose it is can be guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, Subquery, TextClause, column, desc, func, literal_column, table, text
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from agent.store.among import among
from agent.store.search import SPARE_BITS, Phrase, TicketWords, numbered
from agent.store.tables import Ticket

COUNTED = 1_000
"""Tickets that are counted at most."""

LIMITED = "limit"
"""Where a session keeps the condition of an account that does not see every ticket (agent.store.limits)."""

OF_FEW = "of few"
"""Where it keeps the keys of all tickets that such an account sees, None where these are not few."""

FEW = 1_000
"""An account that sees no more tickets than these has each of them read."""

LOOKED_FIRST = 3
"""Tickets with the words, for each that is asked for, among which those that another such account sees are looked for
first: most see a third of all or more."""

LOOKED_THROUGH = 5_000
"""The newest tickets with the words, among which they are looked for at once."""

ENOUGH = 26
"""A page's tickets, and one more: where so many are seen among those that are looked at first, that is the end."""

PROBED, OFTEN = 1_000, 50
"""PostgreSQL looks at one ticket after another where so many of so many of the newest are found, and as many behind."""

NEWEST = 2**63 - 1
"""No ticket's number is greater."""

_NUMBERS = {
    "sqlite": (table("ticket_words_index", column("rowid")), "rowid"),  # which it yields in order, without sorting
    "postgresql": (table("ticket_words", column("number")), "number"),
}
_FOUND = {"sqlite": "ticket_words_index MATCH :question", "postgresql": "found @@ to_tsquery('simple', :question)"}


@dataclass(frozen=True, slots=True)
class Matches:
    """Number and key of tickets, the newest first.

    `unread` is a number below which what is seen was not looked at yet; None where all was, or enough was found.
    """

    rows: Sequence[tuple[int, str]]
    unread: int | None = None


def matching(
    session: Session, phrases: Sequence[Phrase], limit: int, before: int | None = None, through: int | None = None
) -> Matches:
    """Return the newest tickets that have all phrases; those below a number, if it is given."""
    if LIMITED not in session.info:
        return Matches(_among(session, _numbers(session, phrases, before, limit), limit))
    if (keys := of_few(session)) is not None:
        return Matches(_read_through(session, keys, phrases, limit, before))
    if before is not None and (before := _above_seen(session, before)) is None:
        return Matches([])
    most = LOOKED_THROUGH if through is None else min(through, LOOKED_THROUGH)
    for looked_at in sorted({min(LOOKED_FIRST * limit, most), most}):
        newest = _numbers(session, phrases, before, looked_at)
        found = _among(session, newest, limit)
        unread = _last(session, newest, looked_at) if len(found) < limit else None
        if unread is None or len(found) >= ENOUGH:
            break
    return Matches(found, None if unread is None else _above_seen(session, unread))


def of_few(session: Session) -> Sequence[str] | None:
    """Return the keys of all tickets that a limited account sees, where they are few; None where they are not."""
    if LIMITED not in session.info:
        return None
    if OF_FEW not in session.info:
        keys = session.exec(select(Ticket.key).limit(FEW + 1)).all()
        session.info[OF_FEW] = keys if len(keys) <= FEW else None
    found: Sequence[str] | None = session.info[OF_FEW]
    return found


def count(session: Session, phrase: Phrase) -> tuple[int, bool]:
    """Return how many tickets have a phrase, COUNTED at most, and whether there may be more."""
    if LIMITED not in session.info:
        whole = _count(session, replace(phrase, begun=False)) if phrase.begun else 0  # no list of all that begin so
        counted = whole if whole >= COUNTED else _count(session, phrase)
        return counted, counted >= COUNTED
    found = matching(session, [phrase], COUNTED, through=COUNTED)
    return len(found.rows), found.unread is not None or len(found.rows) >= COUNTED


def _count(session: Session, phrase: Phrase) -> int:
    some = _numbers(session, [phrase], None, COUNTED).subquery()
    return session.connection().execute(rows_of(func.count()).select_from(some)).scalar() or 0


def _among(session: Session, newest: Select[int], limit: int) -> list[tuple[int, str]]:
    """Return those that are seen among these numbers."""
    numbers = newest.subquery()
    number = numbers.c[0]
    rows = select(TicketWords.number, TicketWords.ticket_key).join(numbers, number == TicketWords.number)
    return [(number, key) for number, key in session.exec(rows.order_by(desc(number)).limit(limit))]


def _last(session: Session, newest: Select[int], looked_at: int) -> int | None:
    """Return the last of so many numbers; None where there are fewer."""
    last = newest.offset(looked_at - 1).limit(1)
    return session.connection().execute(last).scalar()  # without the condition: it is not told as it is


def _above_seen(session: Session, number: int) -> int | None:
    """Return the number above the newest ticket below a number that is seen, which tells of no other; None without one.

    It is above all tickets of one second, but where the number itself is of that second.
    """
    second = number >> SPARE_BITS
    below = col(TicketWords.number) < number, col(TicketWords.number) >= second << SPARE_BITS
    words = select(TicketWords.number).where(*below).order_by(col(TicketWords.number).desc()).limit(1)
    if (found := session.exec(words).first()) is not None:
        return found + 1
    earlier = select(Ticket.filed_at).where(col(Ticket.filed_at) < datetime.fromtimestamp(second, UTC))
    filed = session.exec(earlier.order_by(col(Ticket.filed_at).desc()).limit(1)).first()
    return None if filed is None else min(((numbered(filed, "") >> SPARE_BITS) + 1) << SPARE_BITS, number)


def _read_through(
    session: Session, keys: Sequence[str], phrases: Sequence[Phrase], limit: int, before: int | None
) -> list[tuple[int, str]]:
    """Return those that have all phrases of the few that are seen."""
    rows = select(TicketWords.number, TicketWords.ticket_key).where(among(TicketWords.ticket_key, keys))
    dialect, below = session.get_bind().dialect.name, NEWEST if before is None else before
    rows = rows.where(col(TicketWords.number) < below, *(_stands(phrase, dialect) for phrase in phrases))
    return [(number, key) for number, key in session.exec(rows.order_by(col(TicketWords.number).desc()).limit(limit))]


def _stands(phrase: Phrase, dialect: str) -> ColumnElement[bool]:
    """Return the condition that a phrase stands in a ticket's words, which have one blank between any two."""
    wanted = f" {' '.join(phrase.words)}" + " " * (not phrase.begun)
    place = func.strpos if dialect == "postgresql" else func.instr  # a tenth of the time that LIKE takes
    return place(" " + col(TicketWords.words) + " ", wanted) > 0


def _numbers(session: Session, phrases: Sequence[Phrase], before: int | None, most: int) -> Select[int]:
    """Return the numbers of the newest tickets that have all phrases, at most so many, the newest first."""
    dialect = session.get_bind().dialect.name
    there, name = _NUMBERS[dialect]
    number, below = there.c[name], NEWEST if before is None else before
    found = text(_FOUND[dialect]).bindparams(question=question(phrases, dialect))
    if dialect == "postgresql":
        if deep := _walked(session, found, below, most):
            newest = _newest(below, deep)
            return rows_of(newest.c.number).where(found).order_by(desc(newest.c.number)).limit(most)
        order = desc(number + 0)  # no order of an index: it has to ask the index of words
    else:
        order = desc(number)
    return rows_of(number).where(found, number < below).order_by(order).limit(most)


def _walked(session: Session, found: TextClause, below: int, most: int) -> int | None:
    """Return among how many of the newest tickets so many are found, if they are found often; else None.

    PostgreSQL does not know how often phrases and beginnings of words stand in tickets. It would look at all tickets
    for one that stands in none, or let its index find a hundred thousand where a thousand are asked for.
    """

    def among_newest(deep: int, enough: int) -> int:
        some = rows_of(literal_column("1")).select_from(_newest(below, deep)).where(found).limit(enough).subquery()
        return session.connection().execute(rows_of(func.count()).select_from(some)).scalar() or 0

    if (seen := among_newest(PROBED, PROBED)) < OFTEN:
        return None
    deep = 2 * most * PROBED // seen
    return deep if among_newest(deep, most) == most else None


def _newest(below: int, deep: int) -> Subquery:
    """Return number and words of so many of the newest tickets."""
    words = table("ticket_words", column("number"), column("found"))
    return rows_of(*words.c).where(words.c.number < below).order_by(desc(words.c.number)).limit(deep).subquery()


def question(phrases: Sequence[Phrase], dialect: str) -> str:
    """Return the question in the words of FTS5, or of a tsquery: of letters and digits alone, nothing is to escape.

    https://www.sqlite.org/fts5.html#full_text_query_syntax,
    https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY
    """
    if dialect == "postgresql":
        quoted = (" <-> ".join(f"'{word}'" for word in one.words) + ":*" * one.begun for one in phrases)
        return " & ".join(f"({phrase})" for phrase in quoted)
    return " AND ".join('"' + " ".join(one.words) + '"' + " *" * one.begun for one in phrases)
