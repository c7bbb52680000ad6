"""What led to an opinion, as data: what each rule, similar ticket and model says, and each role's threshold.

    explanation = explain(classifier.opinion(subject, body, on))

`agent.notes.explaining` words it, for the command line, for `/role why` and for pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.triage.evidence import Evidence, Floats
from agent.triage.fusion import pool
from agent.triage.opinion import Grounds, Opinion
from agent.triage.thresholds import Threshold, threshold
from heuristics import Hit, Kind


class Voice(StrEnum):
    """A source of evidence, as people call it."""

    RULES = "rules"
    MEMORY = "similar tickets"
    MODEL = "model"
    DESCRIPTION = "its description"


@dataclass(frozen=True, slots=True)
class RoleSaid:
    """One role: its confidence, what each voice that speaks would give it alone, and its threshold."""

    role: str
    confidence: float
    alone: Mapping[Voice, float]
    threshold: Threshold


@dataclass(frozen=True, slots=True)
class RuleSaid:
    """A rule that hit, with the words that it found.

    `right` of the `seen` reviewed tickets on which it hit were of its role; None without a record.
    """

    rule: str
    role: str
    kind: Kind
    weight: float
    phrases: tuple[str, ...]
    right: int | None = None
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """An opinion with what led to it: roles with the likeliest first, rules with the weightiest first."""

    opinion: Opinion
    roles: tuple[RoleSaid, ...]
    rules: tuple[RuleSaid, ...]

    def leader(self, voice: Voice) -> str | None:
        """Return the role that a voice alone would name; None where it is silent, or has no preference."""
        ranked = sorted((role for role in self.roles if voice in role.alone), key=lambda r: -r.alone[voice])
        if not ranked or (len(ranked) > 1 and ranked[0].alone[voice] == ranked[1].alone[voice]):
            return None
        return ranked[0].role


def explain(opinion: Opinion) -> Explanation:
    """Return what led to the opinion."""
    grounds = opinion.grounds
    alone = _alone(opinion, grounds)
    record = grounds.model.record() if grounds.model else None
    fitted = grounds.model.roles if grounds.model else ()
    trained = grounds.model is not None
    roles = tuple(
        RoleSaid(
            role,
            confidence,
            {Voice.DESCRIPTION: confidence}
            if role == grounds.described
            else {voice: float(said[grounds.fusion.roles.index(role)]) for voice, said in alone.items()},
            threshold(role, fitted, grounds.cutoffs, record, trained=trained),
        )
        for role, confidence in opinion.ranked()
    )
    return Explanation(opinion, roles, _rules(opinion.hits, grounds))


def _alone(opinion: Opinion, grounds: Grounds) -> dict[Voice, Floats]:
    """Return the probabilities [roles of the fusion] that each voice that speaks would give, were it alone."""
    heard, weights = grounds.evidence, grounds.fusion.weights
    several = heard.multi_label
    spoken: dict[Voice, Evidence] = {}
    if opinion.hits:
        spoken[Voice.RULES] = Evidence(heard.base, rules=heard.rules, vetoed=heard.vetoed, multi_label=several)
    if opinion.neighbours:
        spoken[Voice.MEMORY] = Evidence(heard.base, recall=heard.recall, multi_label=several)
    if heard.heads is not None:
        spoken[Voice.MODEL] = Evidence(heard.base, heard.heads, multi_label=several)
    return {voice: pool(evidence, weights)[0] for voice, evidence in spoken.items()}


def _rules(hits: Sequence[Hit], grounds: Grounds) -> tuple[RuleSaid, ...]:
    by_rule: dict[str, list[Hit]] = {}
    for hit in hits:
        by_rule.setdefault(hit.rule_id, []).append(hit)
    said = [_rule(found, grounds) for found in by_rule.values()]
    return tuple(sorted(said, key=lambda rule: (rule.kind is Kind.VETO, -rule.weight, rule.rule)))


def _rule(found: Sequence[Hit], grounds: Grounds) -> RuleSaid:
    first, history, roles = found[0], grounds.fusion.history, grounds.fusion.roles
    phrases = tuple(dict.fromkeys(hit.phrase.casefold() for hit in found))
    counts = history.by_role.get(first.rule_id)
    right = None
    if counts is not None and first.role in roles and roles.index(first.role) < len(counts):
        right = round(float(counts[roles.index(first.role)]))
    seen = round(history.hits.get(first.rule_id, 0.0))
    return RuleSaid(first.rule_id, first.role, first.kind, first.weight, phrases, right if seen else None, seen)
