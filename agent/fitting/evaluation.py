"""Judge probabilities against reviewed roles: quality per role, calibration, and intervals, never a bare accuracy.

    report = evaluate(probabilities, labels, roles)     # both float64[n, roles]; labels 0/1
    report.accuracy, report.accuracy_interval, report.macro_f1, report.log_loss, report.ece, report.by_role

Multi-label desks: a role is predicted from probability 0.5 on, the best one in any case; accuracy is that of the exact
set of roles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from heuristics.wilson import wilson_interval

Floats = NDArray[np.float64]

BINS = 10  # of the calibration error
RESAMPLES = 1000  # of the bootstrap
SMALLEST_PROBABILITY = 1e-6  # what a log-loss charges at most: -log of it


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RoleScore:
    """How well one role is recognised; `support` is the number of tickets that have it."""

    role: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Report:
    """The quality of n answers; macro-F1 is the mean over the roles that occur in truth or prediction."""

    tickets: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    log_loss: float
    ece: float
    by_role: tuple[RoleScore, ...]


def predictions(probabilities: Floats, *, multi_label: bool = False) -> Floats:
    """Return the predicted roles as 0/1, float64[n, roles]."""
    chosen: Floats = np.zeros(probabilities.shape)
    chosen[np.arange(len(chosen)), probabilities.argmax(axis=1)] = 1.0
    if multi_label:
        chosen[probabilities >= 0.5] = 1.0
    return chosen


def correct(probabilities: Floats, labels: Floats, *, multi_label: bool = False) -> Floats:
    """Return 1.0 where the answer is right, float64[n]: the exact set, or a best role that is one of the true ones."""
    chosen = predictions(probabilities, multi_label=multi_label)
    right = (chosen == labels).all(axis=1) if multi_label else (chosen * labels).any(axis=1)
    return np.asarray(right, dtype=np.float64)


def losses(probabilities: Floats, labels: Floats, *, multi_label: bool = False) -> Floats:
    """Return the log-loss of each ticket in nats, float64[n]; multi-label: the mean over roles."""
    likely = np.clip(probabilities, SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY)
    if multi_label:
        loss: Floats = -(labels * np.log(likely) + (1.0 - labels) * np.log1p(-likely)).mean(axis=1)
    else:
        loss = -(labels * np.log(likely)).sum(axis=1) / labels.sum(axis=1)
    return loss


def calibration_error(confidence: Floats, right: Floats, bins: int = BINS) -> float:
    """Return the expected calibration error: the mean gap between confidence and accuracy over equal-width bins.

    Guo et al., "On calibration of modern neural networks", ICML 2017; both arguments float64[n].
    """
    if not len(confidence):
        return 0.0
    place = np.clip((confidence * bins).astype(int), 0, bins - 1)
    gap = np.bincount(place, weights=confidence - right, minlength=bins)
    return float(np.abs(gap).sum() / len(confidence))


def wilson(successes: float, trials: float, confidence: float = 0.95) -> Interval:
    """Return the two-sided score interval of a share (Wilson 1927); (0, 1) without any trial."""
    return Interval(*wilson_interval(successes, trials, NormalDist().inv_cdf(0.5 + confidence / 2)))


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float], count: int, *, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Return the percentile interval of `statistic`, a function of the indices of n resampled tickets."""
    if not count:
        return Interval(0.0, 1.0)
    random = np.random.default_rng(seed)
    values = [statistic(random.integers(0, count, count)) for _ in range(RESAMPLES)]
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def macro_f1(chosen: Floats, labels: Floats) -> float:
    """Return the mean F1 over the roles that occur among predictions (`chosen`) or truth; both 0/1, [n, roles]."""
    return _mean_f1((chosen * labels).sum(axis=0), (chosen + labels).sum(axis=0))


def _mean_f1(found: Floats, total: Floats) -> float:
    """Return macro-F1 of what was found of each role, and of how often it was named or true."""
    seen = total > 0
    return float((2 * found[seen] / total[seen]).mean()) if seen.any() else 0.0


def evaluate(probabilities: Floats, labels: Floats, roles: Sequence[str], *, multi_label: bool = False) -> Report:
    """Return the quality of `probabilities` against `labels` (both float64[n, roles], labels 0/1)."""
    chosen = predictions(probabilities, multi_label=multi_label)
    right = correct(probabilities, labels, multi_label=multi_label)
    count = len(right)
    found, total = chosen * labels, chosen + labels

    def resampled(rows: NDArray[np.intp]) -> float:
        times = np.bincount(rows, minlength=count).astype(np.float64)  # a thousand copies of the rows would take hours
        return _mean_f1(times @ found, times @ total)

    if multi_label:
        ece = calibration_error(probabilities.ravel(), labels.ravel())
    else:
        ece = calibration_error(probabilities.max(axis=1, initial=0.0), right)
    return Report(
        tickets=count,
        accuracy=float(right.mean()) if count else 0.0,
        accuracy_interval=wilson(float(right.sum()), count),
        macro_f1=macro_f1(chosen, labels),
        macro_f1_interval=bootstrap(resampled, count),
        log_loss=float(losses(probabilities, labels, multi_label=multi_label).mean()) if count else 0.0,
        ece=ece,
        by_role=tuple(_score(role, chosen[:, i], labels[:, i]) for i, role in enumerate(roles)),
    )


def _score(role: str, chosen: Floats, truth: Floats) -> RoleScore:
    found, named, support = float(chosen @ truth), float(chosen.sum()), float(truth.sum())
    precision, recall = found / named if named else 0.0, found / support if support else 0.0
    return RoleScore(role, precision, recall, 2 * found / (named + support) if named + support else 0.0, int(support))
