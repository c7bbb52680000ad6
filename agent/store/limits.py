"""Which tickets a limited account sees: a condition that all queries of a transaction carry, set in one place.

    database.read(within(Limit(groups=("net",)), query), *args)     # query sees tickets of the group net alone

Queries need not know of it: the condition is added to the table of tickets, and to each table of what happened to them,
wherever these stand in a statement. A statement that cannot carry it is refused, so that a query which somebody adds
later shows nothing that it must not. A ticket is in the group that its helpdesk named last, or else in the one that it
was filed in; where none was ever named, it is in no group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import (
    ColumnElement,
    ColumnExpressionArgument,
    String,
    and_,
    event,
    func,
    inspect,
    literal_column,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import ORMExecuteState, load_only, with_loader_criteria
from sqlalchemy.orm.util import LoaderCriteriaOption
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import Session, SQLModel, col, select

from agent.domain import fold
from agent.store.finding import LIMITED
from agent.store.people import User
from agent.store.tables import Review, Ticket

P = ParamSpec("P")
T = TypeVar("T")

_FILED = SQLModel.metadata.tables[str(Ticket.__tablename__)].alias("limited")


LATEST = 2_000
"""Reviews that count as lately given."""

WHOSE = "whose"
"""Where a session keeps the limit itself."""


class NotLimited(Exception):
    """A statement of a limited transaction that cannot carry the condition."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The helpdesks and groups whose tickets an account sees; all of them where none is named."""

    helpdesks: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @classmethod
    def of(cls, user: User) -> Limit | None:
        """Return the limit of an account; None where it sees every ticket."""
        return cls(tuple(user.helpdesks), tuple(user.groups)) if user.helpdesks or user.groups else None


def within(limit: Limit | None, query: Callable[Concatenate[Session, P], T]) -> Callable[Concatenate[Session, P], T]:
    """Return a query that sees what a limit lets through; everything with None."""
    if limit is None:
        return query

    def limited(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> T:
        session.info.update({LIMITED: list(_options(limit)), WHOSE: limit})
        event.listen(session, "do_orm_execute", _carry)
        return query(session, *args, **kwargs)

    return limited


def among_latest(session: Session) -> ColumnElement[bool]:
    """Return the condition on a review that it is one of the latest of all, whoever sees which of them.

    A limited account looks for its own among these: without an end, it would look through all that there ever were.
    """
    newest = session.connection().execute(select(func.max(Review.id))).scalar()  # a number tells of no ticket
    return col(Review.id) > (newest or 0) - LATEST


def newest(
    session: Session, limit: int, *conditions: ColumnExpressionArgument[bool], columns: Sequence[Any] = ()
) -> Sequence[Ticket]:
    """Return the tickets that somebody sees and that were filed last, newest first; of those that meet conditions.

    Where columns are named, the others are not read.

    They are looked for in each group by itself, or in each helpdesk, in the order of its index: in none of the others.
    """
    latest_first = col(Ticket.filed_at).desc(), col(Ticket.key).desc()
    whose: Limit = session.info.get(WHOSE, Limit())
    read = [load_only(*columns)] if columns else []
    parts = [_group(Ticket) == group for group in whose.groups] or [_helpdesk(Ticket) == h for h in whose.helpdesks]
    if len(parts) < 2:
        alone = select(Ticket).where(*parts, *conditions).order_by(*latest_first).limit(limit)
        return session.exec(alone.options(*read)).all()
    seen = select(Ticket.key, Ticket.filed_at).where(_seen(Ticket, whose), *conditions)
    of_each = (seen.where(part).order_by(*latest_first).limit(limit).subquery() for part in parts)
    found = union_all(*(select(each.c.key, each.c.filed_at) for each in of_each)).subquery().c
    keys = select(found.key).order_by(found.filed_at.desc(), found.key.desc()).limit(limit)
    chosen = select(Ticket).where(col(Ticket.key).in_(session.connection().execute(keys).scalars().all()))
    return session.exec(chosen.order_by(*latest_first).options(*read)).all()


def spelled(session: Session, groups: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return groups as helpdesks spell them, whatever case they were given in, and those in which no ticket is."""
    there = [name for name in session.exec(select(_group(Ticket)).distinct()) if name]
    known = {given: [name for name in there if fold(name) == fold(given)] for given in groups if given.strip()}
    found = (name for given, names in known.items() for name in names or [given.strip()])
    return list(dict.fromkeys(found)), [given for given, names in known.items() if not names]


def _carry(state: ORMExecuteState) -> None:
    """Add the condition to a statement. Raises NotLimited where it is not one of our tables."""
    if not state.is_orm_statement:
        raise NotLimited(str(state.statement)[:200])
    state.statement = state.statement.options(*state.session.info[LIMITED])


def _options(limit: Limit) -> Iterator[LoaderCriteriaOption]:
    """Yield the condition for each table.

    It is a value to be asked for of each row, with its ticket. Of one that there has to be such a ticket, PostgreSQL
    would make a join, and read all tickets there are for two thousand rows.
    """
    yield with_loader_criteria(Ticket, _seen(Ticket, limit), include_aliases=True)
    for mapper in inspect(Ticket).registry.mappers:
        if "ticket_key" in mapper.columns:
            theirs = select(_seen(_FILED.c, limit)).where(_FILED.c.key == mapper.columns["ticket_key"])
            yield with_loader_criteria(mapper.class_, theirs.scalar_subquery(), True)


def _seen(ticket: Any, limit: Limit) -> ColumnElement[bool]:
    """Return the condition on a ticket."""
    helpdesks = [_helpdesk(ticket).in_(limit.helpdesks)] if limit.helpdesks else []
    return and_(*helpdesks, *([_group(ticket).in_(limit.groups)] if limit.groups else []))


def _group(ticket: Any) -> Any:
    """Return the group that a ticket is in now; in the words of the index (migration 0029), or it would not serve."""
    seen = ticket.seen.op("->>", return_type=String())(literal_column("'group'"))
    return func.coalesce(seen, ticket.group, type_=String())


def _helpdesk(ticket: Any) -> Any:
    """Return the helpdesk that a ticket is of."""
    return _Helpdesk(ticket.key)


class _Helpdesk(FunctionElement[str]):
    """What a ticket's key begins with; in the words of the index (migration 0031)."""

    type = String()
    inherit_cache = True


@compiles(_Helpdesk)
def _before_colon(element: _Helpdesk, compiler: Any, **how: Any) -> str:
    key = compiler.process(element.clauses, **how)
    return f"substr({key}, 1, instr({key}, ':') - 1)"


@compiles(_Helpdesk, "postgresql")
def _first_part(element: _Helpdesk, compiler: Any, **how: Any) -> str:
    return f"split_part({compiler.process(element.clauses, **how)}, ':', 1)"
