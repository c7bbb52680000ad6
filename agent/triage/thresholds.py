"""Why a role is clear from the confidence that it is: the record that its cut-off was fitted on.

People read *threshold* for a cut-off, and *confidence* for a probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.triage.cutoffs import FEWEST, OWN_RECORD, Cutoffs, answered, careful
from agent.triage.evidence import Floats

SAME = 1e-6  # the artefact keeps 32 bits of a cut-off


class Basis(StrEnum):
    """Whose record a threshold comes from."""

    OWN = "own"
    """The role's own answers: there are enough of them."""
    SHARED = "shared"
    """The answers of all roles: it has few of its own, and these are no worse."""
    RAISED = "raised"
    """Its own few answers: they were worse than those of all roles."""
    FEW = "few"
    """Those of all roles, but it has hardly any of its own: no lower, whatever these allow."""
    TARGET = "target"
    """Nobody's: without a model, the precision asked for stands in."""
    UNKNOWN = "unknown"
    """A record that was not kept with the model, or a role that is newer than the model."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The confidence from which a role is clear, None for never, and the precision `target` that led to it.

    `right` of `count` answers from the threshold on were right (all of them where it is None), by whose record `basis`
    says; `own` is how many answers the role has itself.
    """

    role: str
    confidence: float | None
    target: float
    basis: Basis
    right: int = 0
    count: int = 0
    own: int = 0


def threshold(
    role: str, roles: tuple[str, ...], cutoffs: Cutoffs, record: tuple[Floats, Floats] | None, *, trained: bool
) -> Threshold:
    """Return the threshold of a role. `record`: honest answers and labels, float64[n, roles] each, if kept."""
    cutoff = cutoffs.of(role)
    confidence = cutoff if cutoff <= 1.0 else None
    if not trained:
        return Threshold(role, confidence, cutoffs.target, Basis.TARGET)
    if record is None or role not in roles:
        return Threshold(role, confidence, cutoffs.target, Basis.UNKNOWN)
    column, probability, right = answered(*record, cutoffs.multi_label)
    mine = column == roles.index(role)
    own = int(mine.sum())
    basis = _basis(cutoff, cutoffs, own)
    reached = probability >= (cutoff if confidence is not None else 0.0)
    counted = reached if basis in (Basis.SHARED, Basis.FEW) else reached & mine
    return Threshold(role, confidence, cutoffs.target, basis, int(right[counted].sum()), int(counted.sum()), own)


def _basis(cutoff: float, cutoffs: Cutoffs, own: int) -> Basis:
    if own >= OWN_RECORD:
        return Basis.OWN
    if cutoff <= cutoffs.default:
        return Basis.SHARED
    few = own < FEWEST and abs(cutoff - careful(cutoffs.target)) < SAME
    return Basis.FEW if few else Basis.RAISED
