"""Fit the weights by which the message with the solution is picked, to conversations in which people marked it.

A conditional logit (McFadden 1974) with a ridge: the marked message's share of all that could be it is made likely.
Each conversation counts once, however long it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from agent.writing.picking import Features

RIDGE = 1.0
FOLDS = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation: what is seen of each message that may hold the solution, and the numbers of those that do."""

    seen: Mapping[int, Features]
    marked: frozenset[int]

    @property
    def usable(self) -> bool:
        """Whether one of the messages that may be picked is marked."""
        return bool(self.marked & self.seen.keys())


def fit(cases: Sequence[Case], ridge: float = RIDGE, towards: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return the weight of each feature, drawn to those that are given, else to 0.

    Raises ValueError where no conversation has a marked message to pick.
    """
    usable = [case for case in cases if case.usable]
    if not usable:
        raise ValueError("no conversation has a marked message")
    names = sorted({name for case in usable for seen in case.seen.values() for name in seen})
    rows = np.array([[seen.get(name, 0.0) for name in names] for case in usable for seen in case.seen.values()])
    group = np.repeat(np.arange(len(usable)), [len(case.seen) for case in usable])
    start = np.searchsorted(group, np.arange(len(usable)))
    marked = np.array([place in case.marked for case in usable for place in case.seen], dtype=float)
    marked /= np.add.reduceat(marked, start)[group]
    before = np.array([(towards or {}).get(name, 0.0) for name in names])

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = rows @ weights
        scores -= np.maximum.reduceat(scores, start)[group]
        shares = np.exp(scores)
        total = np.add.reduceat(shares, start)
        likelihood = marked @ scores - np.log(total).sum()
        slope = rows.T @ (shares / total[group] - marked) + 2 * ridge * (weights - before)
        return float(ridge * np.sum((weights - before) ** 2) - likelihood), slope

    found = minimize(loss, before, jac=True, method="L-BFGS-B")
    return dict(zip(names, map(float, found.x), strict=True))


def cross_validated(cases: Sequence[Case], seed: int = 0, ridge: float = RIDGE) -> NDArray[np.bool_]:
    """Return for each conversation whether its message is picked by weights that were fitted without it."""
    held = out_of_fold(cases, None, ridge, seed)
    return np.array([best(case.seen, weights) in case.marked for case, weights in zip(cases, held, strict=True)])


def out_of_fold(
    cases: Sequence[Case], towards: Mapping[str, float] | None, ridge: float = RIDGE, seed: int = 0
) -> list[Mapping[str, float]]:
    """Return for each conversation weights that were fitted without it."""
    order = np.random.default_rng(seed).permutation(len(cases))
    found: list[Mapping[str, float]] = [{}] * len(cases)
    for fold in range(FOLDS):
        held_out = set(order[fold::FOLDS].tolist())
        learnt = [case for place, case in enumerate(cases) if place not in held_out]
        weights = fit(learnt, ridge, towards) if any(case.usable for case in learnt) else dict(towards or {})
        for place in held_out:
            found[place] = weights
    return found


def grades(cases: Sequence[Case], held: Sequence[Mapping[str, float]]) -> tuple[list[bool], list[float]]:
    """Return for each conversation whether a marked message is picked, and the log-loss of the marked ones in nats."""
    right, loss = [], []
    for case, weights in zip(cases, held, strict=True):
        scores = {p: sum(weights.get(n, 0.0) * v for n, v in each.items()) for p, each in case.seen.items()}
        total = float(np.logaddexp.reduce(list(scores.values())))
        right.append(best(case.seen, weights) in case.marked)
        loss.append(total - float(np.logaddexp.reduce([s for p, s in scores.items() if p in case.marked])))
    return right, loss


def best(seen: Mapping[int, Features], weights: Mapping[str, float]) -> int | None:
    """Return the place of the message with the highest score, None where there is none."""
    scores = {p: sum(weights.get(name, 0.0) * value for name, value in each.items()) for p, each in seen.items()}
    return max(scores, key=lambda place: scores[place]) if scores else None
