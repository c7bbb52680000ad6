"""A dry run: what a role would have done at a stage on the latest tickets, and what people said of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from agent.domain import Outcome, Role, RoleCatalogue, fold, source_of
from agent.report.cases import Case, of_tickets
from agent.store.limits import newest
from agent.store.stages import Stage
from agent.store.tables import Ticket
from connectors.base import Field

LATEST = 500
"""Tickets that are looked at, unless a number is given."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would have become of the latest tickets.

    `clear` of `looked` were clearly suggested for the role. Of these `there` are in its group already, and `cannot` are
    in systems that Rolecall cannot change so, or need several roles; the rest would have been changed: `agreed` is on
    how many of these people named the role, `otherwise` what else they named, by ticket, `unsaid` the others.
    """

    looked: int
    clear: int
    there: int = 0
    cannot: int = 0
    agreed: int = 0
    unsaid: int = 0
    otherwise: Mapping[str, tuple[str, ...]] | None = None

    @property
    def changed(self) -> int:
        """How many tickets would have been changed."""
        return self.agreed + self.unsaid + len(self.otherwise or {})


def rehearse(
    session: Session,
    catalogue: RoleCatalogue,
    role: str,
    stage: Stage,
    changes: Mapping[str, Collection[Field]],
    last: int = LATEST,
) -> Rehearsal:
    """Return what a role would have done on the `last` tickets; `changes`: what can be changed, by connector.

    Random checks that wait are left out: whoever answers them must not see what was suggested.
    """
    chosen = catalogue.lookup(role)
    groups = {ticket.key: ticket.group for ticket in newest(session, last, columns=(Ticket.key, Ticket.group))}
    found = [case for case in of_tickets(session, list(groups), catalogue) if not (case.drawn and case.check is None)]
    clear = [case for case in found if case.outcome == Outcome.CLEAR and role in case.suggested]
    if chosen is None or stage <= Stage.COMMENT:
        return Rehearsal(len(groups), len(clear))
    there = [case for case in clear if stage is Stage.ASSIGN and _there(chosen, case, groups[case.key])]
    cannot = [case for case in clear if case not in there and not _can(chosen, case, stage, changes)]
    changed = [case for case in clear if case not in there and case not in cannot]
    said = {case.key: case.said for case in changed if case.said is not None}
    otherwise = {key: roles for key, roles in said.items() if role not in roles}
    agreed = len(said) - len(otherwise)
    return Rehearsal(len(groups), len(clear), len(there), len(cannot), agreed, len(changed) - len(said), otherwise)


def _there(role: Role, case: Case, group: str | None) -> bool:
    return fold(group or "") in map(fold, role.groups.get(source_of(case.key), ()))


def _can(role: Role, case: Case, stage: Stage, changes: Mapping[str, Collection[Field]]) -> bool:
    source = source_of(case.key)
    if stage is Stage.TAG:
        return Field.TAG in changes.get(source, ())
    return len(case.suggested) == 1 and role.group(source) is not None and Field.GROUP in changes.get(source, ())
