"""Decide whether a role is clear, one of two, or not suggested at all, by a cut-off for each role.

The operator says "be right 9 times in 10" (`target`). From honest (out-of-fold) fused probabilities, the pooled cut-off
is the lowest probability from which the lower confidence bound of precision reaches the target. A role with enough
answers gets a cut-off of its own, its record blended with the pooled one, and more so where roles differ little; a rare
role takes the pooled cut-off, raised while its blended record stays below target. A role with hardly any answers is not
clear far below the target, whatever the others' record says. A role that cannot reach the target is never clear.

    cutoffs = fit_cutoffs(probabilities, labels, roles, target=0.9)
    verdict = judge(probabilities, roles, cutoffs)      # probabilities: float64[roles], calibrated (Fusion)
    Verdict(("Hydraulics",), 0.96, clear=True)          # or Abstained(reason, role, probability)
    curve = precision_coverage(probabilities, labels)   # tuple[Point...], to be drawn

From the cut-off on: clear; below it: either this role or the next one; below `silent_below`: abstention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.domain import Reason
from agent.fitting.evaluation import Interval, wilson

TARGET = 0.9  # precision of what is clear
SILENT_BELOW = 0.4  # a best role less probable than this is no help
CLOSE = 0.5  # share of the best role's probability from which the next one is an alternative
NEVER = 2.0  # the cut-off of a role that cannot reach the target: no probability does
TARGET_ARRAY, ROLES_ARRAY, DEFAULT_ARRAY = "cutoffs.target", "cutoffs.roles", "cutoffs.default"

CONFIDENCE = 0.6  # two-sided, so 80 % that the true precision is above the lower bound
OWN_RECORD = 30  # answers from which a role is judged by itself
BLEND, MOST_BLEND = 10.0, 300.0  # pooled answers that enter a role's own record: a rare one's, and at the most
KNOWN_PAIRS = 1000.0  # pairs of answers of one role that count as much as what is known beforehand: that BLEND is right
FEWEST = 10  # fewer answers are no basis for a precision
CAREFUL = 0.85  # share of the target below which a role with fewer answers of its own is never clear
POINTS = 60  # of a curve that are kept: more cannot be told apart on paper

Floats = NDArray[np.float64]
Row = tuple[float, float, float, float, float]  # a Point in the manifest, its interval as two ends


@dataclass(frozen=True, slots=True)
class Verdict:
    """The roles to name, most probable first; `probability` is that of the least probable one.

    `alternative` is the role that it may be as well, where the verdict is not clear and another role is nearly as
    probable.
    """

    roles: tuple[str, ...]
    probability: float
    clear: bool
    alternative: str | None = None


@dataclass(frozen=True, slots=True)
class Abstained:
    """An abstention; `role` and `probability` are those of the most probable answer."""

    reason: Reason
    role: str | None = None
    probability: float = 0.0


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """The probability from which each role is clear; `default` serves roles without a record of their own.

    `multi_label`: whether all roles at their cut-offs are named, or the most probable one only.
    """

    target: float = TARGET
    default: float = TARGET
    by_role: Mapping[str, float] = field(default_factory=dict)
    silent_below: float = SILENT_BELOW
    multi_label: bool = False

    def of(self, role: str) -> float:
        """Return the cut-off of a role; NEVER (above 1) where it is never clear."""
        return self.by_role.get(role, max(self.default, careful(self.target)))

    def to_arrays(self, roles: Sequence[str]) -> dict[str, Floats]:
        """Return the cut-offs as named arrays, in the order of the artefact's `roles`."""
        return {
            TARGET_ARRAY: np.array([self.target]),
            DEFAULT_ARRAY: np.array([self.default]),
            ROLES_ARRAY: np.array([self.of(role) for role in roles]),
        }

    @classmethod
    def from_arrays(
        cls,
        roles: Sequence[str],
        arrays: Mapping[str, NDArray[np.generic]],
        *,
        silent_below: float = SILENT_BELOW,
        multi_label: bool = False,
    ) -> Cutoffs:
        """Return the cut-offs that `to_arrays` wrote; without a record, roles are clear from the default target on."""
        if TARGET_ARRAY not in arrays:
            return cls(silent_below=silent_below, multi_label=multi_label)
        by_role = dict(zip(roles, (float(value) for value in arrays[ROLES_ARRAY]), strict=True))
        target, default = float(arrays[TARGET_ARRAY][0]), float(arrays[DEFAULT_ARRAY][0])
        return cls(target, default, by_role, silent_below, multi_label)


def careful(target: float) -> float:
    """Return the lowest cut-off of a role whose own answers are too few to say how good they are."""
    return CAREFUL * target


def judge(probabilities: Floats, roles: Sequence[str], cutoffs: Cutoffs) -> Verdict | Abstained:
    """Return the verdict on one ticket. `probabilities`: float64[roles], zeros where a rule vetoed.

    Where a ticket may have several roles, every role at its cut-off is named; where none is, the most probable one is.
    """
    if not len(roles):
        return Abstained(Reason.NO_ROLE)
    order = [int(index) for index in np.argsort(-probabilities, kind="stable")]
    best, probability = roles[order[0]], float(probabilities[order[0]])
    if probability <= 0.0:
        return Abstained(Reason.RULED_OUT)
    named = [i for i in (order if cutoffs.multi_label else order[:1]) if probabilities[i] >= cutoffs.of(roles[i])]
    if named:
        return Verdict(tuple(roles[i] for i in named), float(probabilities[named[-1]]), clear=True)
    if probability < cutoffs.silent_below:
        return Abstained(Reason.UNSURE, best, probability)
    close = len(order) > 1 and float(probabilities[order[1]]) >= CLOSE * probability
    return Verdict((best,), probability, clear=False, alternative=roles[order[1]] if close else None)


@dataclass(frozen=True, slots=True)
class Point:
    """Coverage and precision if every answer from `cutoff` on were clear."""

    cutoff: float
    coverage: float
    precision: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers in order of falling probability, and how many of the first k were right."""

    probability: Floats
    right: Floats

    @classmethod
    def of(cls, probability: Floats, right: Floats) -> _Answers:
        order = np.argsort(-probability, kind="stable")
        return cls(probability[order], np.cumsum(right[order]))

    def record(self, cutoff: float) -> tuple[float, int]:
        """Return (right, all) of the answers at least as probable as `cutoff`."""
        count = int(np.searchsorted(-self.probability, -cutoff, side="right"))
        return (float(self.right[count - 1]) if count else 0.0), count


def fit_cutoffs(
    probabilities: Floats,
    labels: Floats,
    roles: Sequence[str],
    *,
    target: float = TARGET,
    silent_below: float = SILENT_BELOW,
    multi_label: bool = False,
) -> Cutoffs:
    """Return the cut-offs that keep `target`, from honest probabilities and 0/1 labels, both float64[n, roles]."""
    role, probability, right = answered(probabilities, labels, multi_label)
    pooled = _Answers.of(probability, right)
    shared = _lowest(pooled.probability, lambda cutoff: _bound(*pooled.record(cutoff)), target)
    blend = _blend(role[probability >= shared], right[probability >= shared])
    by_role = {
        name: _of_role(_Answers.of(probability[role == index], right[role == index]), pooled, blend, shared, target)
        for index, name in enumerate(roles)
    }
    return Cutoffs(target, shared, by_role, silent_below, multi_label)


def precision_coverage(probabilities: Floats, labels: Floats, *, multi_label: bool = False) -> tuple[Point, ...]:
    """Return precision against coverage for every distinct cut-off, the strictest first."""
    _, probability, right = answered(probabilities, labels, multi_label)
    answers = _Answers.of(probability, right)
    records = ((cutoff, *answers.record(cutoff)) for cutoff in map(float, np.unique(probability)[::-1]))
    return tuple(Point(at, count / len(probability), hits / count, wilson(hits, count)) for at, hits, count in records)


def rows(points: Sequence[Point]) -> list[Row]:
    """Return an evenly thinned curve as the manifest keeps it."""
    step = max(1, -(-len(points) // POINTS))
    return [(p.cutoff, p.coverage, p.precision, p.interval.low, p.interval.high) for p in points[::step]]


def answered(probabilities: Floats, labels: Floats, multi_label: bool) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Return role index, probability and rightness of every answer: the best role of each ticket, or every role."""
    if multi_label:
        role = np.tile(np.arange(probabilities.shape[1]), len(probabilities))
        return role, probabilities.ravel(), labels.ravel()
    best = np.arange(len(probabilities)), probabilities.argmax(axis=1)
    return best[1], probabilities[best], labels[best]


def _blend(role: NDArray[np.intp], right: Floats) -> float:
    """Return how many pooled answers enter a role's record, from the role and the rightness of each clear answer.

    By the correlation of two answers of one role (a beta-binomial's, by moments: Kleinman, JASA 1973).
    """
    count, hits = np.bincount(role), np.bincount(role, right)
    share = hits.sum() / max(len(right), 1)
    together = ((hits - share * count) ** 2).sum() / max(share * (1 - share), 1e-9) - len(right)
    correlation = (together + KNOWN_PAIRS / (1 + BLEND)) / ((count * (count - 1)).sum() + KNOWN_PAIRS)
    return float(np.clip(1 / correlation - 1, BLEND, MOST_BLEND)) if correlation > 0 else MOST_BLEND


def _of_role(own: _Answers, pooled: _Answers, blend: float, shared: float, target: float) -> float:
    """Return the cut-off of one role: by its own bound where it has a record, else the shared one or above it."""
    blend = blend if len(own.probability) >= OWN_RECORD else BLEND  # nothing tells that a rare one is like the others

    def blended(cutoff: float) -> tuple[float, float]:
        right, count = own.record(cutoff)
        all_right, everything = pooled.record(cutoff)
        return right + blend * all_right / max(everything, 1), count + blend

    def mean(cutoff: float) -> float:
        right, count = blended(cutoff)
        return right / count

    if len(own.probability) >= OWN_RECORD:
        return _lowest(own.probability, lambda cutoff: _bound(*blended(cutoff)), target)
    start = shared if len(own.probability) >= FEWEST else max(shared, careful(target))
    if mean(start) >= target:
        return start
    above = own.probability[own.probability >= start]
    return _lowest(np.append(above, np.nextafter(above, NEVER)), mean, target)


def _bound(right: float, count: float) -> float:
    return wilson(right, count, CONFIDENCE).low if count >= FEWEST else 0.0


def _lowest(cutoffs: Floats, precision: Callable[[float], float], target: float) -> float:
    """Return the lowest of `cutoffs` from which `precision` is at least the target; NEVER if none is."""
    return next((float(cutoff) for cutoff in np.unique(cutoffs) if precision(float(cutoff)) >= target), NEVER)
