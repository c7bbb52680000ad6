"""Whether a role gets far more, or far fewer, of the tickets than before: the desk changed, or somebody mislabels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

from agent.feedback.accounts import Given

LATELY, BEFORE = timedelta(days=7), timedelta(days=63)
FEWEST_NOW, FEWEST_BEFORE = 30, 100
LEAST_CHANGE, LEAST_RATIO = 0.1, 2.0
SURPRISE = 4.0
"""Standard errors of the difference of two shares: by chance once in 16,000 roles and weeks."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A role whose share of the reviewed tickets changed: lately, and in the eight weeks before."""

    role: str
    now: float
    before: float


def drifts(labels: Sequence[Given], today: date) -> list[Drift]:
    """Return the roles whose share of the tickets reviewed in the last 7 days differs from that of the weeks before."""
    lately = [one for one in labels if today - one.reviewed_on < LATELY]
    earlier = [one for one in labels if LATELY <= today - one.reviewed_on < BEFORE]
    if len(lately) < FEWEST_NOW or len(earlier) < FEWEST_BEFORE:
        return []
    now, before = (Counter(role for one in part for role in one.roles) for part in (lately, earlier))
    shares = [Drift(role, now[role] / len(lately), before[role] / len(earlier)) for role in sorted({*now, *before})]
    return [one for one in shares if _differs(one, len(lately), len(earlier))]


def _differs(drift: Drift, lately: int, earlier: int) -> bool:
    low, high = sorted((drift.now, drift.before))
    if high - low < LEAST_CHANGE or high < LEAST_RATIO * low:
        return False
    whole = (drift.now * lately + drift.before * earlier) / (lately + earlier)
    return high - low > SURPRISE * sqrt(whole * (1 - whole) * (1 / lately + 1 / earlier))
