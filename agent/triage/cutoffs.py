"""Turn "be right 9 times in 10" into a cut-off per role, with lower confidence bounds, and draw what it costs.

From honest (out-of-fold or prequential) fused probabilities: the pooled cut-off is the lowest probability from which
the lower bound of precision reaches the target. A role with enough answers of its own gets its own cut-off, its record
blended with the pooled one; a rare role takes the pooled cut-off, raised while its blended record stays below target.
A role that no cut-off brings to the target is never asserted.

    cutoffs = fit_cutoffs(probabilities, labels, roles, target=0.9)     # agent.triage.abstention.Cutoffs
    curve = precision_coverage(probabilities, labels)                   # tuple[Point...], to be drawn

agent.learning fits them once per training; agent.triage.model fits them again where the operator asks for another
target than the model was trained for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.fitting.evaluation import Interval, wilson
from agent.triage.abstention import NEVER, SILENT_BELOW, TARGET, Cutoffs

Floats = NDArray[np.float64]

CONFIDENCE = 0.6  # two-sided, so 80 % that the true precision is above the lower bound
OWN_RECORD = 30  # answers from which a role is judged by itself
BLEND = 10.0  # pooled answers that enter every role's own record
FEWEST = 10  # answers below which no precision is believed

POINTS = 60
"""Points that are kept of a curve: more cannot be told apart on paper."""

Row = tuple[float, float, float, float, float]
"""Cut-off, coverage, precision, and the ends of its 95 % interval: as the manifest keeps a point."""


@dataclass(frozen=True, slots=True)
class Point:
    """What asserting every answer from `cutoff` on would give: the share of tickets answered, and how often right."""

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
    role, probability, right = _answers(probabilities, labels, multi_label)
    pooled = _Answers.of(probability, right)
    shared = _lowest(pooled.probability, lambda cutoff: _bound(*pooled.record(cutoff)), target)
    by_role = {
        name: _of_role(_Answers.of(probability[role == index], right[role == index]), pooled, shared, target)
        for index, name in enumerate(roles)
    }
    return Cutoffs(target, shared, by_role, silent_below, multi_label)


def precision_coverage(probabilities: Floats, labels: Floats, *, multi_label: bool = False) -> tuple[Point, ...]:
    """Return precision against coverage for every distinct cut-off, the strictest first."""
    _, probability, right = _answers(probabilities, labels, multi_label)
    answers = _Answers.of(probability, right)
    points = []
    for cutoff in np.unique(probability)[::-1]:
        hits, count = answers.record(float(cutoff))
        points.append(Point(float(cutoff), count / len(probability), hits / count, wilson(hits, count)))
    return tuple(points)


def rows(points: Sequence[Point]) -> list[Row]:
    """Return an evenly thinned curve as the manifest keeps it."""
    step = max(1, -(-len(points) // POINTS))
    return [(p.cutoff, p.coverage, p.precision, p.interval.low, p.interval.high) for p in points[::step]]


def _answers(probabilities: Floats, labels: Floats, multi_label: bool) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Return role index, probability and rightness of every answer: the best role of each ticket, or every role."""
    if multi_label:
        role = np.tile(np.arange(probabilities.shape[1]), len(probabilities))
        return role, probabilities.ravel(), labels.ravel()
    best = probabilities.argmax(axis=1)
    rows = np.arange(len(best))
    return best, probabilities[rows, best], labels[rows, best]


def _of_role(own: _Answers, pooled: _Answers, shared: float, target: float) -> float:
    """Return the cut-off of one role: by its own bound where it has a record, else the shared one or above it."""

    def blended(cutoff: float) -> tuple[float, float]:
        right, count = own.record(cutoff)
        all_right, everything = pooled.record(cutoff)
        return right + BLEND * all_right / max(everything, 1), count + BLEND

    def mean(cutoff: float) -> float:
        right, count = blended(cutoff)
        return right / count

    if len(own.probability) >= OWN_RECORD:
        return _lowest(own.probability, lambda cutoff: _bound(*blended(cutoff)), target)
    if mean(shared) >= target:
        return shared
    above = own.probability[own.probability >= shared]
    return _lowest(np.append(above, np.nextafter(above, NEVER)), mean, target)


def _bound(right: float, count: float) -> float:
    return wilson(right, count, CONFIDENCE).low if count >= FEWEST else 0.0


def _lowest(cutoffs: Floats, precision: Callable[[float], float], target: float) -> float:
    """Return the lowest of `cutoffs` from which `precision` is at least the target; NEVER if none is."""
    return next((float(cutoff) for cutoff in np.unique(cutoffs) if precision(float(cutoff)) >= target), NEVER)
