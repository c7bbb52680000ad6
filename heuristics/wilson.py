"""Confidence interval of a proportion."""

from __future__ import annotations

from math import sqrt

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson_interval(successes: float, cases: float, z: float = Z95) -> tuple[float, float]:
    """Return the score interval of a proportion (Wilson, 1927); (0, 1) where there is no case."""
    if cases <= 0:
        return 0.0, 1.0
    share = successes / cases
    centre = share + z * z / (2 * cases)
    spread = z * sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases))
    scale = 1 + z * z / cases
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
