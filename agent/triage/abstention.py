"""Decide what may be said of a ticket: an assertion, a guess, or nothing, given the precision the operator asks for.

The operator says "be right 9 times in 10" (`target`); agent.triage.cutoffs turns that into a probability per role
from which it may be asserted. A role that cannot keep the promise is only ever a guess.

    verdict = judge(probabilities, roles, cutoffs)      # probabilities: float64[roles], calibrated (Fusion)
    Verdict(("Hydraulics",), Band.SURE, 0.96, asserted=True)     # or Abstained(reason, role, probability)

Bands: asserted and itself at least as probable as the target: sure; asserted: likely (such answers, taken together with
the sure ones, keep the promise); below the cut-off: a guess; below `silent_below`: silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from agent.domain import Band

Floats = NDArray[np.float64]

TARGET = 0.9  # precision of what is asserted
SILENT_BELOW = 0.4  # a best role less probable than this helps nobody
NEVER = 2.0  # the cut-off of a role that cannot reach the target: no probability does
TARGET_ARRAY, ROLES_ARRAY, DEFAULT_ARRAY = "cutoffs.target", "cutoffs.roles", "cutoffs.default"


class Reason(StrEnum):
    """Why nothing is said."""

    TOO_UNSURE = "no role is probable enough"
    ALL_VETOED = "rules rule out every role"
    NO_ROLES = "no role is active"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said: the roles, most probable first; the band and probability are those of the weakest of them."""

    roles: tuple[str, ...]
    band: Band
    probability: float
    asserted: bool


@dataclass(frozen=True, slots=True)
class Abstained:
    """Nothing is said; `role` and `probability` are what would have been said."""

    reason: Reason
    role: str | None = None
    probability: float = 0.0


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """The probability from which each role may be asserted; `default` serves roles without a record of their own.

    `multi_label`: whether all roles at their cut-offs are named, or the most probable one only.
    """

    target: float = TARGET
    default: float = TARGET
    by_role: Mapping[str, float] = field(default_factory=dict)
    silent_below: float = SILENT_BELOW
    multi_label: bool = False

    def of(self, role: str) -> float:
        """Return the cut-off of a role; NEVER (above 1) where it may not be asserted."""
        return self.by_role.get(role, self.default)

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
        """Return what `to_arrays` wrote; without a record, roles are asserted from the default target on."""
        if TARGET_ARRAY not in arrays:
            return cls(silent_below=silent_below, multi_label=multi_label)
        by_role = dict(zip(roles, (float(value) for value in arrays[ROLES_ARRAY]), strict=True))
        target, default = float(arrays[TARGET_ARRAY][0]), float(arrays[DEFAULT_ARRAY][0])
        return cls(target, default, by_role, silent_below, multi_label)


def judge(probabilities: Floats, roles: Sequence[str], cutoffs: Cutoffs) -> Verdict | Abstained:
    """Return what may be said of one ticket. `probabilities`: float64[roles], zeros where a rule vetoed.

    Where a ticket may have several roles, every role at its cut-off is named; where none is, the most probable role is
    the guess.
    """
    if not len(roles):
        return Abstained(Reason.NO_ROLES)
    order = [int(index) for index in np.argsort(-probabilities, kind="stable")]
    best, probability = roles[order[0]], float(probabilities[order[0]])
    if probability <= 0.0:
        return Abstained(Reason.ALL_VETOED)
    named = [i for i in (order if cutoffs.multi_label else order[:1]) if probabilities[i] >= cutoffs.of(roles[i])]
    if named:
        weakest = float(probabilities[named[-1]])
        band = Band.SURE if weakest >= cutoffs.target else Band.LIKELY
        return Verdict(tuple(roles[i] for i in named), band, weakest, asserted=True)
    if probability < cutoffs.silent_below:
        return Abstained(Reason.TOO_UNSURE, best, probability)
    return Verdict((best,), Band.GUESS, probability, asserted=False)
