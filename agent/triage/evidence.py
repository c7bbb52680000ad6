"""The evidence on n tickets before it is weighed: from the model, the rules, and the memory of reviewed tickets.

`Fusion.gather` makes it, in service as in training; `agent.triage.fusion.pool` weighs it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


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

    `model` holds probabilities, NaN in the columns of roles that the model has never seen; `rules` are log-odds.
    """

    base: Floats
    model: Floats | None = None
    rules: Floats | None = None
    recall: Recall | None = None
    vetoed: Flags | None = None
    multi_label: bool = False
