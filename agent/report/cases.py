"""Tickets of a time, each with what was suggested before anybody acted, and what people said.

database.call(cases, week.begin, week.end, catalogue)     # [Case("desk:1", ..., outcome="clear", said=("Network",))]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from agent.domain import RoleCatalogue, Strength, Via
from agent.store.long_transactions import take_time
from agent.store.tables import Decision, Review, Ticket
from agent.store.tickets import CHUNK


@dataclass(frozen=True, slots=True)
class Case:
    """A ticket, what was suggested before anybody acted, and what people said.

    `check` are the roles of a random check, None where it was not answered; `said` are those of the review that counts.
    Roles have today's names.
    """

    key: str
    filed_at: datetime
    outcome: str
    suggested: tuple[str, ...] = ()
    confidence: float | None = None
    reason: str = ""
    drawn: bool = False
    check: tuple[str, ...] | None = None
    checked_at: datetime | None = None
    said: tuple[str, ...] | None = None
    strength: int = 0
    via: str = ""
    actor: str | None = None
    moved_at: datetime | None = None
    """When its group first changed after the suggestion."""
    found_at: datetime | None = None
    """When it first moved to the role that counts."""

    @property
    def right(self) -> bool:
        """Whether each suggested role is one of those that a random check gave."""
        return bool(self.suggested) and set(self.suggested) <= set(self.check or ())

    @property
    def corrected(self) -> bool:
        """Whether somebody named another role in words."""
        return self.strength == Strength.CORRECTED

    @property
    def role(self) -> str | None:
        """The role that is known, else the likeliest."""
        return next(iter(self.said or self.suggested), None)


def cases(session: Session, begin: datetime, end: datetime, catalogue: RoleCatalogue) -> list[Case]:
    """Return the tickets filed from `begin` to before `end` that were decided on, in the order of filing."""
    take_time(session.connection())
    filed = (col(Ticket.filed_at) >= begin, col(Ticket.filed_at) < end)
    tickets = session.exec(select(Ticket.key, Ticket.filed_at, Ticket.drawn).where(*filed).order_by(Ticket.filed_at))  # type: ignore[arg-type]
    of_decided, of_said = (col(table.ticket_key) == Ticket.key for table in (Decision, Review))
    decided, said = _decided().join(Ticket, of_decided), _said().join(Ticket, of_said)
    decisions = _by_ticket(session.exec(decided.where(*filed).order_by(Decision.id)))
    reviews = _by_ticket(session.exec(said.where(*filed).order_by(Review.id)))
    return _cases(tickets, decisions, reviews, catalogue)


def of_tickets(session: Session, keys: Sequence[str], catalogue: RoleCatalogue) -> list[Case]:
    """Return the cases of these tickets, in the order of their keys; of those that were decided on."""
    found: dict[str, Case] = {}
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        tickets = session.exec(select(Ticket.key, Ticket.filed_at, Ticket.drawn).where(col(Ticket.key).in_(some)))
        decisions = _by_ticket(session.exec(_decided().where(col(Decision.ticket_key).in_(some)).order_by(Decision.id)))
        reviews = _by_ticket(session.exec(_said().where(col(Review.ticket_key).in_(some)).order_by(Review.id)))
        found.update((case.key, case) for case in _cases(tickets, decisions, reviews, catalogue))
    return [found[key] for key in keys if key in found]


def _decided() -> Any:
    d = Decision
    return select(d.ticket_key, d.at, d.outcome, d.roles, d.confidence, d.reason)  # type: ignore[call-overload]


def _said() -> Any:
    r = Review
    return select(r.ticket_key, r.at, r.roles, r.strength, r.via, r.actor, r.withdrawn)  # type: ignore[call-overload]


def _cases(
    tickets: Iterable[tuple[str, datetime, bool]],
    decisions: Mapping[str, Sequence[Any]],
    reviews: Mapping[str, Sequence[Any]],
    catalogue: RoleCatalogue,
) -> list[Case]:
    return [
        case(key, at, drawn, decisions[key], reviews.get(key, []), catalogue)
        for key, at, drawn in tickets
        if key in decisions
    ]


def case(
    key: str,
    filed_at: datetime,
    drawn: bool,
    decisions: Sequence[Any],
    reviews: Sequence[Any],
    catalogue: RoleCatalogue,
) -> Case:
    """Return a ticket's case from its decisions and reviews, both in the order of their numbers."""
    acts = [row.at for row in reviews if row.via != Via.IMPORT]
    before = [row for row in decisions if not acts or row.at <= min(acts)]
    decision = before[-1] if before else decisions[0]
    standing = sorted((row for row in reviews if row.withdrawn is None), key=_counts)
    counts = standing[-1] if standing and standing[-1].strength > Strength.REOPENED else None
    checks = [row for row in standing if row.via == Via.CHECK and row.strength >= Strength.CONFIRMED]
    said = catalogue.today(counts.roles) if counts else None
    moves = [row for row in reviews if row.via == Via.MOVE and row.at >= decision.at]
    to_it = [row.at for row in moves if said and set(catalogue.today(row.roles)) & set(said)]
    return Case(
        key,
        filed_at,
        decision.outcome,
        catalogue.today(decision.roles),
        decision.confidence,
        decision.reason,
        drawn,
        catalogue.today(checks[-1].roles) if checks else None,
        checks[-1].at if checks else None,
        said,
        counts.strength if counts else 0,
        counts.via if counts else "",
        counts.actor if counts else None,
        min((row.at for row in moves), default=None),
        min(to_it, default=None),
    )


def _counts(row: Any) -> tuple[bool, bool, datetime]:
    """Order reviews as agent.store.tickets does: words beat moves, moves beat closures, the newest wins."""
    return row.strength >= Strength.CONFIRMED, row.strength >= Strength.MOVED, row.at


def _by_ticket(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.ticket_key, []).append(row)
    return found
