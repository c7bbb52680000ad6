"""Measure each rule on reviewed tickets: what it covers, where rules disagree, how often it is right.

The measures are those of Snorkel's labelling-function analysis (Ratner et al., 2017, doi:10.14778/3157794.3157797).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from heuristics.rules import Hit, Kind, Rule, RuleSet, leading_role
from heuristics.wilson import wilson_interval


@dataclass(frozen=True, slots=True)
class ReviewedText:
    """A ticket's text, the day it was filed, and the roles that people gave it."""

    id: str
    subject: str
    body: str
    roles: tuple[str, ...]
    on: date


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """The result of one rule; all counts are tickets, except `hits`.

    `right` counts tickets of the rule's role for a vote, tickets of other roles for a veto. `overlaps` counts tickets
    where another rule hit too; `conflicts` those where a rule contradicts: a vote for another role, or, between a vote
    and a veto, the same role. `against` names the contradicting rules, most frequent first. `wrong_ids` are tickets to
    look at.
    """

    rule: Rule
    tickets: int
    hits: int
    right: int
    overlaps: int
    conflicts: int
    against: tuple[tuple[str, int], ...]
    wrong_ids: tuple[str, ...]

    @property
    def precision(self) -> float | None:
        """Share of the rule's tickets on which it was right; None where it never hit."""
        return self.right / self.tickets if self.tickets else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the precision."""
        return wilson_interval(self.right, self.tickets)

    @property
    def dead(self) -> bool:
        """Whether the rule never hit."""
        return self.tickets == 0


@dataclass(frozen=True, slots=True)
class Report:
    """The result of all rules: `decided` counts tickets where votes alone name one role, `right` the true ones."""

    tickets: int
    covered: int
    decided: int
    right: int
    rules: tuple[RuleFigures, ...]


def report(rules: RuleSet, tickets: Iterable[ReviewedText]) -> Report:
    """Match the rules against reviewed tickets, each on the day it was filed, and count."""
    matched = [(ticket, rules.match(ticket.subject, ticket.body, ticket.on)) for ticket in tickets]
    by_rule: dict[str, list[tuple[ReviewedText, Sequence[Hit]]]] = {rule.id: [] for rule in rules.rules}
    for ticket, hits in matched:
        for rule_id in {hit.rule_id for hit in hits}:
            by_rule[rule_id].append((ticket, hits))
    decisions = [(ticket, leading_role(hits)) for ticket, hits in matched]
    return Report(
        tickets=len(matched),
        covered=sum(any(hit.kind is Kind.VOTE for hit in hits) for _, hits in matched),
        decided=sum(role is not None for _, role in decisions),
        right=sum(role in ticket.roles for ticket, role in decisions),
        rules=tuple(_figures(rule, by_rule[rule.id]) for rule in rules.rules),
    )


def contradict(one: Rule | Hit, other: Rule | Hit) -> bool:
    """Return whether two rules cannot both be right about a ticket of one role."""
    if one.kind is Kind.VOTE and other.kind is Kind.VOTE:
        return one.role != other.role
    return one.role == other.role and one.kind is not other.kind


def _figures(rule: Rule, matched: Sequence[tuple[ReviewedText, Sequence[Hit]]]) -> RuleFigures:
    against: Counter[str] = Counter()
    overlaps = conflicts = 0
    wrong: list[str] = []
    for ticket, hits in matched:
        others = {hit.rule_id: hit for hit in hits if hit.rule_id != rule.id}
        opposed = [rule_id for rule_id, hit in others.items() if contradict(rule, hit)]
        overlaps += bool(others)
        conflicts += bool(opposed)
        against.update(opposed)
        if (rule.role in ticket.roles) is not (rule.kind is Kind.VOTE):
            wrong.append(ticket.id)
    return RuleFigures(
        rule=rule,
        tickets=len(matched),
        hits=sum(hit.rule_id == rule.id for _, hits in matched for hit in hits),
        right=len(matched) - len(wrong),
        overlaps=overlaps,
        conflicts=conflicts,
        against=tuple(sorted(against.items(), key=lambda item: (-item[1], item[0]))),
        wrong_ids=tuple(wrong),
    )
