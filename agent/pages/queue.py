"""Which tickets need a known role, in a suggested order, each with why it is asked about.

Only the latest reviews and the latest tickets are looked at: what is older is hardly worth a person's time, and the
cost stays the same however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session, col, func, select

from agent.domain import Outcome, Reason, RoleCatalogue, Strength
from agent.pages.standing import Standing, drawn, filed_before, of_tickets, standings
from agent.store.limits import among_latest
from agent.store.tables import Review
from agent.store.tickets import STANDING

REVIEWS, TICKETS, CHECKS = 150, 100, 100
"""How many of the latest are looked at: tickets that were reviewed last, that were filed last, and random checks."""

ALIKE = 3
"""Similar tickets from which on their agreement says something."""


class Order(StrEnum):
    """Why a ticket is asked about, the most telling first."""

    DISPUTED = "disputed"
    """Two people named different roles."""
    DISAGREES = "disagrees"
    """Closed in, or moved to, another role than the suggested one."""
    LOOKS_WRONG = "looks_wrong"
    """All similar tickets have another role."""
    CHECK = "check"
    """Drawn by lot: whoever answers does not see what was suggested, nor what others said."""
    UNCERTAIN = "uncertain"
    """No role was clear, and nobody has said."""
    CLOSED = "closed"
    """Nobody has said; how it was closed is a weak label."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A ticket that is asked about, and why: `shown` is where people put it, `other` what speaks against that."""

    order: Order
    standing: Standing
    shown: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    alike: int = 0


def queue(session: Session, catalogue: RoleCatalogue) -> list[Asked]:
    """Return the tickets to ask about, in the suggested order."""
    recent = select(Review.ticket_key).where(STANDING, among_latest(session)).group_by(col(Review.ticket_key))
    keys = session.exec(recent.order_by(func.max(Review.id).desc()).limit(REVIEWS)).all()
    found = {asked.standing.ticket.key: asked for asked in _of(of_tickets(session, keys), catalogue)}
    drawn_by_lot = standings(session, drawn(session, CHECKS))
    for asked in _of([*drawn_by_lot, *standings(session, filed_before(session, TICKETS))], catalogue):
        found.setdefault(asked.standing.ticket.key, asked)
    places = list(Order)
    return sorted(found.values(), key=lambda asked: places.index(asked.order))


def after(asked: Sequence[Asked], order: str, key: str) -> list[Asked]:
    """Return those of one order, or of all, behind the ticket that was skipped last."""
    chosen = [one for one in asked if order in ("", one.order)]
    keys = [one.standing.ticket.key for one in chosen]
    return chosen[keys.index(key) + 1 :] if key in keys else chosen


def why(standing: Standing, catalogue: RoleCatalogue) -> Asked | None:
    """Return why a ticket is asked about, None where it is not."""
    review, suggested = standing.review, standing.suggested(catalogue)
    if standing.blind:
        return Asked(Order.CHECK, standing)
    if standing.disputed:
        return Asked(Order.DISPUTED, standing)
    if standing.answer is not None or standing.asked:
        return None
    if review is None:
        unsure = standing.outcome == Outcome.EITHER_OR or _reason(standing) in (Reason.UNSURE, Reason.UNTAUGHT)
        return Asked(Order.UNCERTAIN, standing) if standing.decision and unsure else None
    if review.strength > Strength.MOVED:
        return None
    shown = catalogue.today(review.roles)
    if suggested and not set(suggested) & set(shown):
        return Asked(Order.DISAGREES, standing, shown, suggested)
    alike = _neighbours(standing, catalogue)
    if len(alike) >= ALIKE and len(set(alike)) == 1 and alike[0] not in shown:
        return Asked(Order.LOOKS_WRONG, standing, shown, (alike[0],), len(alike))
    return Asked(Order.CLOSED, standing, shown)


def _of(found: Sequence[Standing], catalogue: RoleCatalogue) -> Iterator[Asked]:
    yield from (asked for standing in found if (asked := why(standing, catalogue)) is not None)


def _reason(standing: Standing) -> str:
    return standing.decision.reason if standing.decision else ""


def _neighbours(standing: Standing, catalogue: RoleCatalogue) -> list[str]:
    near = standing.decision.detail.get("neighbours", ()) if standing.decision else ()
    return [catalogue.today(one["roles"])[0] for one in near if one["roles"]]
