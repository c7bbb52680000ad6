"""The ticket agent's model: a role model with its fusion and its cut-offs.

    honest[n, roles], labels[n, roles]      its answers to its training tickets, as if it had not seen them, and what
                                            people said of these: in the order of the manifest's tickets

The cut-offs were fitted for the precision target of the training. Where the operator asks for another one by now, they
are fitted again from the honest answers. A model of the first release kept no labels: the reviews in the database stand
in, and where there are none left, the cut-offs stay as they were (`rolecall check` says so).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agent.domain import Example
from agent.serving.artefact import Manifest
from agent.serving.model import RoleModel
from agent.serving.model import load as load_classifier
from agent.triage.cutoffs import SILENT_BELOW, Cutoffs, fit_cutoffs
from agent.triage.evidence import Floats
from agent.triage.fusion import Fusion

HONEST_ARRAY, LABELS_ARRAY = "honest", "labels"
SAME_TARGET = 1e-6  # targets closer than this are one: the artefact keeps 32 bits of it

Reviews = Callable[[], Sequence[Example]]
"""Returns the reviewed tickets that the database knows."""


@dataclass(frozen=True, slots=True)
class TicketModel(RoleModel):
    """A loaded model with everything that an answer needs, parsed once. `honest`: by ticket, float64[roles]."""

    fusion: Fusion
    cutoffs: Cutoffs
    honest: Mapping[str, Floats]

    def keeps(self, target: float) -> bool:
        """Return whether the cut-offs are those of a precision target."""
        return abs(self.cutoffs.target - target) < SAME_TARGET


def honest_arrays(manifest: Manifest, ticket_keys: Sequence[str], honest: Floats, labels: Floats) -> dict[str, Floats]:
    """Return honest answers and labels (float64[n, roles] each) as the artefact keeps them."""
    row = {key: i for i, key in enumerate(ticket_keys)}
    rows = [row[key] for key in trained_on(manifest)]
    return {HONEST_ARRAY: honest[rows], LABELS_ARRAY: labels[rows]}


def trained_on(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of the tickets that a version was made from, those that it was judged on included."""
    return tuple(key for part in manifest.tickets.values() for key in part)


def load(
    folder: Path,
    encoders: Path,
    *,
    target: float | None = None,
    silent_below: float = SILENT_BELOW,
    reviews: Reviews = tuple,
) -> TicketModel:
    """Load a version with its fusion, and its cut-offs for `target` (None: as trained). Raises ArtefactError."""
    model = load_classifier(folder, encoders)
    arrays = model.artefact.calibration
    fusion = Fusion.from_arrays(model.roles, arrays)
    kept = Cutoffs.from_arrays(model.roles, arrays, silent_below=silent_below, multi_label=fusion.multi_label)
    honest = _by_ticket(model, HONEST_ARRAY)
    trained = TicketModel(model.artefact, model.encoder, fusion, kept, honest)
    if target is None or trained.keeps(target):
        return trained
    return replace(trained, cutoffs=_refitted(trained, target, reviews))


def _refitted(model: TicketModel, target: float, reviews: Reviews) -> Cutoffs:
    """Return the cut-offs for another target, or those that were kept where no label is known any more."""
    labels = _labels(model, reviews)
    if not labels:
        return model.cutoffs
    return fit_cutoffs(
        np.array([model.honest[key] for key in labels]),
        np.array(list(labels.values())),
        model.roles,
        target=target,
        silent_below=model.cutoffs.silent_below,
        multi_label=model.fusion.multi_label,
    )


def _labels(model: TicketModel, reviews: Reviews) -> dict[str, Floats]:
    """Return the roles of the training tickets as 0/1, float64[roles] by ticket key."""
    kept = _by_ticket(model, LABELS_ARRAY)
    if kept or not model.honest:
        return kept
    rows = {e.ticket_key: np.array([float(role in e.roles) for role in model.roles]) for e in reviews()}
    return {key: rows[key] for key in model.honest if key in rows and rows[key].any()}


def _by_ticket(model: RoleModel, name: str) -> dict[str, Floats]:
    """Return the rows of a kept array by the training ticket that they are about."""
    kept = model.artefact.calibration.get(name)
    rows = () if kept is None else np.asarray(kept, dtype=np.float64)
    return dict(zip(trained_on(model.manifest), rows, strict=True)) if len(rows) else {}
