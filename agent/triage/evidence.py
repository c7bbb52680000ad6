"""The evidence on n tickets before it is weighed: from a model's heads, the rules, and the memory of reviewed tickets.

`Fusion.gather` makes it, in service as in training; `agent.triage.fusion.pool` weighs it.

Matched rules move each role's probability from its base rate, in log-odds. A rule starts with its author's opinion (the
weight, in log-odds for its role) and is corrected by what reviewed tickets say: the author's opinion enters as
`prior_strength` imagined hits (Dirichlet smoothing), so a rule that keeps matching tickets of another role becomes
evidence for that other role. New rules and new roles work from their first minute.

    history = RuleHistory.of(fired, labels)            # fired: the hits of each ticket; labels: 0/1 [n, roles]
    evidence, vetoed = rule_evidence(fired, roles, base, history)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from heuristics.rules import Hit, Kind

PRIOR_STRENGTH = 4.0  # imagined hits; refitted on reviewed tickets by agent.learning.weighing
ARRAY_PREFIX = "rule."

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """What a model's heads say about n tickets: probabilities [n, roles], NaN for roles that they have never seen.

    `lexical` is None for a model without that head.
    """

    embedding: NDArray[np.floating]
    lexical: NDArray[np.floating] | None = None

    def rows(self, rows: NDArray[np.intp]) -> Heads:
        """Return what they say about some of the tickets."""
        return Heads(self.embedding[rows], None if self.lexical is None else self.lexical[rows])

    def widened(self, roles: int) -> Heads:
        """Return the same for `roles` roles, the first of which are those of these heads."""

        def wide(said: NDArray[np.floating]) -> Floats:
            padding = ((0, 0), (0, roles - said.shape[1]))
            return np.pad(np.asarray(said, dtype=np.float64), padding, constant_values=np.nan)

        return Heads(wide(self.embedding), None if self.lexical is None else wide(self.lexical))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A reviewed ticket like the new one; similarity is the cosine, -1 to 1."""

    ticket_key: str
    similarity: float
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Recall:
    """What the memory says about n tickets, float64[n, roles] each, and the similar reviewed tickets.

    `evidence` and `lessons` are log-odds; `corrections` are shares of the probability, negative where one is held back.
    `none_of_ours`: whether tickets like it were called none of ours; empty where that was not looked for.
    """

    evidence: Floats
    corrections: Floats
    lessons: Floats
    neighbours: tuple[tuple[Neighbour, ...], ...] = ()
    none_of_ours: tuple[bool, ...] = ()

    def rows(self, rows: NDArray[np.intp]) -> Recall:
        """Return the same for some of the tickets, without the neighbours."""
        return Recall(self.evidence[rows], self.corrections[rows], self.lessons[rows])


@dataclass(frozen=True, slots=True, eq=False)
class OwnReviews:
    """The reviews of the same n tickets, to be left out of their own answers.

    `labels`: 0/1, float64[n, roles]; `trust`: how much each review counts, float64[n].
    """

    labels: Floats
    trust: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The evidence on n tickets. `base`: share of each role, [roles]; all others [n, roles], None where silent.

    `rules` are log-odds.
    """

    base: Floats
    heads: Heads | None = None
    rules: Floats | None = None
    recall: Recall | None = None
    vetoed: Flags | None = None
    multi_label: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RuleHistory:
    """How often each voting rule matched reviewed tickets, and of which roles these were ([roles] per rule)."""

    hits: Mapping[str, float] = field(default_factory=dict)
    by_role: Mapping[str, Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, fired: Sequence[Sequence[Hit]], labels: Floats, trust: Floats | None = None) -> RuleHistory:
        """Count the votes of `fired` against `labels` ([n, roles]); `trust` ([n]) counts weak reviews for less."""
        hits: dict[str, float] = {}
        by_role: dict[str, Floats] = {}
        for found, label, weight in zip(fired, labels, np.ones(len(labels)) if trust is None else trust, strict=True):
            for rule_id in sorted({hit.rule_id for hit in found if hit.kind is Kind.VOTE}):
                hits[rule_id] = hits.get(rule_id, 0.0) + float(weight)
                by_role[rule_id] = by_role.get(rule_id, np.zeros(len(label))) + weight * label
        return cls(hits, by_role)

    def to_arrays(self) -> dict[str, Floats]:
        """Return the counts as named arrays for a model artefact: per rule [hits, hits of each role...]."""
        return {ARRAY_PREFIX + rule: np.append(self.hits[rule], self.by_role[rule]) for rule in sorted(self.hits)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> RuleHistory:
        """Return the counts that `to_arrays` wrote; arrays of other names are passed over."""
        counts = {
            name.removeprefix(ARRAY_PREFIX): np.asarray(value, dtype=np.float64)
            for name, value in arrays.items()
            if name.startswith(ARRAY_PREFIX)
        }
        return cls({rule: float(c[0]) for rule, c in counts.items()}, {rule: c[1:] for rule, c in counts.items()})


def rule_evidence(
    fired: Sequence[Sequence[Hit]],
    roles: Sequence[str],
    base: Floats,
    history: RuleHistory,
    *,
    prior_strength: float = PRIOR_STRENGTH,
    multi_label: bool = False,
    own: OwnReviews | None = None,
) -> tuple[Floats, Flags]:
    """Return the evidence (log-odds, float64[n, roles]) and the vetoes (bool[n, roles]) of the rules that matched.

    `base`: share of each role, [roles]. Give `own` when the tickets themselves are in `history`: each is then judged as
    if it had never been reviewed (leave-one-out). Roles that came after `history` was counted must stand last in
    `roles`. Rules for roles not in `roles` are ignored.
    """
    column = {role: index for index, role in enumerate(roles)}
    evidence = np.zeros((len(fired), len(roles)))
    vetoed = np.zeros((len(fired), len(roles)), dtype=bool)
    for row, found in enumerate(fired):
        for hit in {hit.rule_id: hit for hit in found if hit.role in column}.values():
            role = column[hit.role]
            if hit.kind is Kind.VETO:
                vetoed[row, role] = True
                continue
            hits, by_role = _counts(history, hit.rule_id, len(roles))
            if own is not None:
                trust = float(own.trust[row])
                hits, by_role = max(hits - trust, 0.0), np.maximum(by_role - trust * own.labels[row], 0.0)
            evidence[row] += _effect(hit.weight, role, base, hits, by_role, prior_strength, multi_label)
    return evidence, vetoed


def _counts(history: RuleHistory, rule_id: str, roles: int) -> tuple[float, Floats]:
    """Return a rule's counts, padded with zeros for the roles that are newer than the counts."""
    by_role = history.by_role.get(rule_id, np.zeros(0))[:roles]
    return history.hits.get(rule_id, 0.0), np.pad(by_role, (0, roles - len(by_role)))


def _effect(
    weight: float, role: int, base: Floats, hits: float, by_role: Floats, prior_strength: float, multi_label: bool
) -> Floats:
    """Return log P(role | rule matched) - log P(role), or the same of log-odds for multi-label desks."""
    boost = np.zeros(len(base))
    boost[role] = weight
    if multi_label:
        prior = 1.0 / (1.0 + np.exp(-(np.log(base / (1.0 - base)) + boost)))
    else:
        prior = base * np.exp(boost)
        prior = prior / prior.sum()
    posterior = (by_role + prior_strength * prior) / (hits + prior_strength)
    change: Floats = np.log(posterior) - np.log(base)
    return change - (np.log1p(-posterior) - np.log1p(-base)) if multi_label else change
