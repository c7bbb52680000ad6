"""Detect that the serving model is worse than its predecessor, with a test that may be read at any time.

After a promotion both versions score every ticket before its review. An e-process bets on the tickets that exactly one
of them got right; if the serving model is no worse than its predecessor, it exceeds 1/alpha with probability at most
alpha *ever*, so it may be read after each review (Ville's inequality; Ramdas et al.,
"Testing exchangeability: fork-convex hulls, supermartingales and e-processes", 2022; arXiv 2210.01948).

    evidence = live_evidence(serving_right, predecessor_right)
    if evidence.roll_back: ...
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

THRESHOLD = 20.0  # false alarms: at most one promotion in twenty, over its whole life
BETS = np.linspace(0.1, 0.9, 9)  # a mixture, since it is not known how much worse it would be


@dataclass(frozen=True, slots=True)
class LiveEvidence:
    """The highest e-value, the tickets that only one version got right, and whether to roll back."""

    e_value: float
    only_serving_right: int
    only_predecessor_right: int
    roll_back: bool

    @property
    def reason(self) -> str:
        """The evidence in words."""
        return (
            f"on live tickets the predecessor alone was right {self.only_predecessor_right} times, the serving model "
            f"{self.only_serving_right} times (e-value {self.e_value:.1f}, acted on from {THRESHOLD:g})"
        )


def live_evidence(serving: Floats, predecessor: Floats, *, threshold: float = THRESHOLD) -> LiveEvidence:
    """Return the evidence against the serving model in paired live outcomes (0/1, [n], in the order of review)."""
    told_apart = serving != predecessor
    signs = np.where(predecessor[told_apart] > serving[told_apart], 1.0, -1.0)
    wealth = np.exp(np.cumsum(np.log1p(np.outer(BETS, signs)), axis=1)).mean(axis=0)
    highest = float(wealth.max(initial=1.0))
    lost = int((signs > 0).sum())
    return LiveEvidence(highest, len(signs) - lost, lost, highest >= threshold)
