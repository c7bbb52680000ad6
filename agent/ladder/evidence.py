"""What each role has shown: random checks of its clear suggestions, and what became of tickets that it was given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from agent.domain import Outcome, RoleCatalogue, Strength, Via, fold
from agent.ladder.earning import ACTS, WINDOW, Shown
from agent.report.cases import Case, of_tickets
from agent.report.week import Share
from agent.store import tickets
from agent.store.actions import Acted, Action, GroupMove
from agent.store.stages import Stages
from agent.store.tables import Decision, Review, Ticket
from agent.store.tickets import STANDING

MOST_CHECKS = 10_000
"""Checks that are looked at, of all roles together: the latest."""

DECISIONS = 2_000
"""Decisions from which the number of clear suggestions a day is taken: the latest."""

CLOCKS = timedelta(minutes=2)
"""How far a helpdesk's clock may be behind ours."""


def shown(session: Session, catalogue: RoleCatalogue, stages: Stages, now: datetime) -> dict[str, Shown]:
    """Return what every role has shown."""
    judged = checked(session, catalogue)
    rate = a_day(session, catalogue, now)
    return {
        role: Shown(
            of_role(judged, role),
            of_role(judged, role, stages.fell.get(role)),
            acts(session, catalogue, role, stages),
            rate.get(role, 0.0),
        )
        for role in catalogue.names
    }


def checked(session: Session, catalogue: RoleCatalogue) -> list[Case]:
    """Return the tickets whose clear suggestion was checked at random, the latest check first."""
    told = select(Review.ticket_key).join(Ticket, col(Ticket.key) == Review.ticket_key).where(col(Ticket.drawn))
    told = told.where(Review.via == Via.CHECK, STANDING, Review.strength >= Strength.CONFIRMED)
    keys = session.exec(told.order_by(col(Review.id).desc()).limit(MOST_CHECKS)).all()
    found = of_tickets(session, list(dict.fromkeys(keys)), catalogue)
    return [case for case in found if case.check is not None and case.outcome == Outcome.CLEAR]


def of_role(judged: Iterable[Case], role: str, since: datetime | None = None) -> Share:
    """Return how many of the latest checked suggestions of a role were right; those checked after a time, if given."""
    theirs = [case for case in judged if role in case.suggested and (since is None or _after(case, since))][:WINDOW]
    return Share(sum(role in (case.check or ()) for case in theirs), len(theirs))


def _after(case: Case, since: datetime) -> bool:
    return case.checked_at is not None and case.checked_at > since


def a_day(session: Session, catalogue: RoleCatalogue, now: datetime) -> dict[str, float]:
    """Return how many tickets a day get a clear suggestion of each role, from the latest decisions."""
    latest = select(Decision.ticket_key, Decision.at, Decision.outcome, Decision.roles)
    rows = session.exec(latest.order_by(col(Decision.id).desc()).limit(DECISIONS)).all()
    clear = {key: catalogue.today(roles) for key, _, outcome, roles in reversed(rows) if outcome == Outcome.CLEAR}
    length = max((now - min((at for _, at, _, _ in rows), default=now)) / timedelta(days=1), 1.0)
    return {role: count / length for role, count in Counter(r for roles in clear.values() for r in roles).items()}


def acts(session: Session, catalogue: RoleCatalogue, role: str, stages: Stages) -> Share:
    """Return how many of the latest tickets that Rolecall changed for a role, in its present stage, stayed so.

    One did not where people gave it another role, in words or by moving it, or moved it back to where it was.
    """
    names, taken = _names(catalogue, role), stages.last.get(role)
    done = select(Action).where(
        col(Action.role).in_(names), Action.outcome == Acted.DONE, col(Action.attempted_at).is_not(None)
    )
    if taken is not None:
        done = done.where(Action.at >= taken.at)
    rows = session.exec(done.order_by(col(Action.id).desc()).limit(2 * ACTS)).all()  # a tag and a group are one ticket
    by_ticket: dict[str, list[Action]] = {}
    for row in rows:
        by_ticket.setdefault(row.ticket_key, []).append(row)
    latest = dict(list(by_ticket.items())[:ACTS])
    back = _taken_back(session, catalogue, role, latest)
    return Share(len(latest) - len(back), len(latest))


def _taken_back(
    session: Session, catalogue: RoleCatalogue, role: str, done: Mapping[str, Sequence[Action]]
) -> set[str]:
    """Return the tickets on which people did otherwise."""
    keys, back = list(done), set()
    moved = select(GroupMove).where(col(GroupMove.ticket_key).in_(keys)).order_by(col(GroupMove.at), col(GroupMove.id))
    last = {row.ticket_key: row for row in session.exec(moved)}
    for key in keys:
        said = tickets.review_that_counts(session, key)
        if said is not None and said.strength >= Strength.MOVED and role not in catalogue.today(said.roles):
            back.add(key)
    for key, move in last.items():
        for action in done[key]:
            since = (action.attempted_at or action.at) - CLOCKS
            if action.field == "group" and not move.ours and move.at > since and _same(move.after, action.before):
                back.add(key)
    return back


def _same(one: str | None, other: str | None) -> bool:
    return fold(one or "") == fold(other or "")


def _names(catalogue: RoleCatalogue, role: str) -> list[str]:
    found = catalogue.lookup(role)
    return [role, *(found.aliases if found else ())]
