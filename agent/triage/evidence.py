"""The evidence on n tickets before it is weighed: from a model's heads, the rules, and the memory of reviewed tickets.

`Fusion.gather` makes it, in service as in training; `agent.triage.fusion.pool` weighs it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
