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


def fit(cases: Sequence[Case], ridge: float = RIDGE) -> dict[str, float]:
    """Return the weight of each feature. Raises ValueError where no conversation has a marked message to pick."""
    usable = [case for case in cases if case.usable]
    if not usable:
        raise ValueError("no conversation has a marked message")
    names = sorted({name for case in usable for seen in case.seen.values() for name in seen})
    rows = np.array([[seen.get(name, 0.0) for name in names] for case in usable for seen in case.seen.values()])
    group = np.repeat(np.arange(len(usable)), [len(case.seen) for case in usable])
    start = np.searchsorted(group, np.arange(len(usable)))
    marked = np.array([place in case.marked for case in usable for place in case.seen], dtype=float)
    marked /= np.add.reduceat(marked, start)[group]

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = rows @ weights
        scores -= np.maximum.reduceat(scores, start)[group]
        shares = np.exp(scores)
        total = np.add.reduceat(shares, start)
        likelihood = marked @ scores - np.log(total).sum()
        slope = rows.T @ (shares / total[group] - marked) + 2 * ridge * weights
        return float(ridge * weights @ weights - likelihood), slope

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B")
    return dict(zip(names, map(float, found.x), strict=True))


def cross_validated(cases: Sequence[Case], seed: int = 0, ridge: float = RIDGE) -> NDArray[np.bool_]:
    """Return for each conversation whether its message is picked by weights that were fitted without it."""
    order = np.random.default_rng(seed).permutation(len(cases))
    right = np.zeros(len(cases), dtype=bool)
    for fold in range(FOLDS):
        held_out = set(order[fold::FOLDS].tolist())
        weights = fit([case for place, case in enumerate(cases) if place not in held_out], ridge)
        for place in held_out:
            right[place] = best(cases[place].seen, weights) in cases[place].marked
    return right


def best(seen: Mapping[int, Features], weights: Mapping[str, float]) -> int | None:
    """Return the place of the message with the highest score, None where there is none."""
    scores = {p: sum(weights.get(name, 0.0) * value for name, value in each.items()) for p, each in seen.items()}
    return max(scores, key=lambda place: scores[place]) if scores else None
