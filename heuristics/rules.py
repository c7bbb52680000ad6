"""What a rule is, what it finds, and what its findings add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """What a rule says of its role when it finds something."""

    VOTE = "vote"
    """Evidence for the role, as strong as the rule's weight."""
    VETO = "veto"
    """This role never handles such a ticket, however many votes it has."""


class Scope(StrEnum):
    """Which part of a ticket a rule reads."""

    ANY = "any"
    SUBJECT = "subject"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an operator's knowledge.

    `weight` is in log-odds (nats): 0.7 doubles the odds of the role, 2.3 makes them ten times higher, as a feature's
    weight in naive Bayes or logistic regression does. A veto has none (0). Both dates are inclusive.
    """

    id: str
    role: str
    kind: Kind = Kind.VOTE
    weight: float = 1.0
    keywords: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    scope: Scope = Scope.ANY
    negation: tuple[str, ...] = ()
    active_from: date | None = None
    active_until: date | None = None

    def active(self, on: date) -> bool:
        """Say whether the rule is in force on this day."""
        return (self.active_from is None or self.active_from <= on) and (
            self.active_until is None or on <= self.active_until
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """A place in a ticket where a rule applies: `phrase` is the text at characters `start` to `end` of `field`."""

    rule_id: str
    role: str
    kind: Kind
    weight: float
    field: Scope
    start: int
    end: int
    phrase: str


def tally(hits: Iterable[Hit]) -> dict[str, float]:
    """Sum the votes per role in log-odds, heaviest role first, then by name.

    A rule counts once, however often its words occur: repeating a word makes a ticket longer, not surer.
    """
    weights = {hit.rule_id: (hit.role, hit.weight) for hit in hits if hit.kind is Kind.VOTE}
    totals: dict[str, float] = {}
    for role, weight in weights.values():
        totals[role] = totals.get(role, 0.0) + weight
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def vetoed(hits: Iterable[Hit]) -> set[str]:
    """Return the roles that some rule rules out."""
    return {hit.role for hit in hits if hit.kind is Kind.VETO}


def leading_role(hits: Iterable[Hit]) -> str | None:
    """Return the role with the highest tally that is not vetoed; None where nothing votes or the lead is shared."""
    hits = tuple(hits)
    barred = vetoed(hits)
    ranked = [(weight, role) for role, weight in tally(hits).items() if role not in barred]
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return ranked[0][1]
