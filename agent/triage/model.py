"""The ticket agent's model: a role model with its fusion and its cut-offs.

    honest[n, roles], labels[n, roles]      its answers to the tickets that it learnt from or was judged on, as if it
                                            had not seen them, and what people said of these: in the order of the
                                            manifest's tickets
    recent[n]                               1 for those that weights and cut-offs were fitted on

The cut-offs were fitted for the precision target of the training. Where the operator asks for another one by now, they
are fitted again from the honest answers. A model of the first release kept no labels: the reviews in the database stand
in, and where there are none left, the cut-offs stay as they were (`rolecall check` says so). The same is done where
roles were merged since: the merged role gets a cut-off of its own.

The columns of a model, which was trained on the roles of its day, are read as today's roles. A renamed role keeps its
column. Of merged roles the columns are pooled: counts add up, and so do probabilities where a ticket has one role;
where it may have several, it has the merged role if it has either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.domain import Example, RoleCatalogue
from agent.serving.artefact import Arrays, Artefact, Manifest
from agent.serving.model import Embeddings, RoleModel
from agent.serving.model import load as load_classifier
from agent.triage.cutoffs import ROLES_ARRAY, SILENT_BELOW, Cutoffs, fit_cutoffs
from agent.triage.evidence import ARRAY_PREFIX, Floats, Heads
from agent.triage.fusion import BASE_ARRAY, Fusion


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Today's `roles`, in the order of the columns, and the index of each column's role: intp[columns]."""

    roles: tuple[str, ...]
    role: NDArray[np.intp]

    @classmethod
    def of(cls, names: Sequence[str], catalogue: RoleCatalogue) -> Columns:
        """Return how columns with these names are read today."""
        roles = catalogue.today(names)
        return cls(roles, np.array([roles.index(catalogue.today([name])[0]) for name in names], dtype=np.intp))

    @property
    def merged(self) -> bool:
        """Whether two columns are one role today."""
        return len(self.roles) < len(self.role)

    def total(self, values: NDArray[np.floating]) -> Floats:
        """Return the sums [..., roles] of values [..., columns]."""
        return self._reduced(np.add, values)

    def either(self, probabilities: NDArray[np.floating]) -> Floats:
        """Return the probabilities [..., roles] that at least one holds of independent ones [..., columns]."""
        return 1.0 - self._reduced(np.multiply, 1.0 - probabilities)

    def highest(self, values: NDArray[np.floating]) -> Floats:
        """Return the highest [..., roles] of values [..., columns]."""
        return self._reduced(np.maximum, values)

    def _reduced(self, operation: np.ufunc, values: NDArray[np.floating]) -> Floats:
        wide = np.asarray(values, dtype=np.float64)
        reduced = [operation.reduce(wide[..., self.role == role], axis=-1) for role in range(len(self.roles))]
        return np.stack(reduced, axis=-1)


HONEST_ARRAY, LABELS_ARRAY, RECENT_ARRAY = "honest", "labels", "recent"
SAME_TARGET = 1e-6  # targets closer than this are one: the artefact keeps 32 bits of it

Reviews = Callable[[], Sequence[Example]]
"""Returns the reviewed tickets that the database knows."""


@dataclass(frozen=True, slots=True)
class TicketModel(RoleModel):
    """A loaded model with everything that an answer needs, parsed once. `honest`: by ticket, float64[roles].

    Its roles are today's, whatever their names were when it was trained.
    """

    columns: Columns
    fusion: Fusion
    cutoffs: Cutoffs
    honest: Mapping[str, Floats]

    @property
    def roles(self) -> tuple[str, ...]:
        """Today's roles, in the order of the columns."""
        return self.columns.roles

    def probabilities_of(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """Return calibrated probabilities for texts that are already embedded: float32[n, roles]."""
        spoken = RoleModel.probabilities_of(self, embeddings)
        return _pooled(spoken, self.columns, self.fusion.multi_label).astype(np.float32)

    def record(self) -> tuple[Floats, Floats] | None:
        """Return the honest answers and labels, float64[n, roles] each, that the cut-offs are judged by, if kept."""
        labels = _labels(self, tuple)
        return (np.array([self.honest[key] for key in labels]), np.array(list(labels.values()))) if labels else None

    def heads(self, texts: Sequence[str], embeddings: Embeddings | None = None) -> Heads:
        """Return what the embedding head and the lexical head say about n texts, which may be embedded already."""
        spoken = self.probabilities(texts) if embeddings is None else self.probabilities_of(embeddings)
        lexical, several = self.artefact.lexical, self.fusion.multi_label
        if lexical is None:
            return Heads(spoken)
        return Heads(spoken, _pooled(lexical.probabilities(texts, multi_label=several), self.columns, several))

    def keeps(self, target: float) -> bool:
        """Return whether the cut-offs are those of a precision target."""
        return abs(self.cutoffs.target - target) < SAME_TARGET


def honest_arrays(
    manifest: Manifest, ticket_keys: Sequence[str], honest: Floats, labels: Floats, recent: NDArray[np.intp]
) -> dict[str, Floats]:
    """Return honest answers and labels (float64[n, roles] each) as the artefact keeps them; `recent` are rows."""
    row = {key: i for i, key in enumerate(ticket_keys)}
    rows = [row[key] for key in trained_on(manifest)]
    fitted_on = np.isin(np.arange(len(ticket_keys)), recent).astype(np.float64)
    return {HONEST_ARRAY: honest[rows], LABELS_ARRAY: labels[rows], RECENT_ARRAY: fitted_on[rows]}


def trained_on(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of the tickets that a version was made from, those that it was judged on included."""
    return tuple(key for part in manifest.tickets.values() for key in part)


def load(
    folder: Path,
    encoders: Path,
    catalogue: RoleCatalogue,
    *,
    target: float | None = None,
    silent_below: float = SILENT_BELOW,
    reviews: Reviews = tuple,
) -> TicketModel:
    """Load a version with its fusion, and its cut-offs for `target` (None: as trained). Raises ArtefactError."""
    model = load_classifier(folder, encoders)
    columns = Columns.of(model.roles, catalogue)
    arrays = _of_today(model.artefact.calibration, columns, model.manifest.multi_label)
    artefact = replace(model.artefact, calibration=arrays)
    fusion = Fusion.from_arrays(columns.roles, arrays)
    kept = Cutoffs.from_arrays(columns.roles, arrays, silent_below=silent_below, multi_label=fusion.multi_label)
    honest = _by_ticket(artefact, HONEST_ARRAY)
    trained = TicketModel(artefact, model.encoder, columns, fusion, kept, honest)
    wanted = kept.target if target is None else target
    if trained.keeps(wanted) and not columns.merged:
        return trained
    return replace(trained, cutoffs=_refitted(trained, wanted, reviews))


def _of_today(arrays: Arrays, columns: Columns, multi_label: bool) -> Arrays:
    """Return a model's arrays with columns for today's roles."""
    read: dict[str, Callable[[NDArray[np.floating]], Floats]] = {
        BASE_ARRAY: partial(_pooled, columns=columns, multi_label=multi_label),
        HONEST_ARRAY: partial(_pooled, columns=columns, multi_label=multi_label),
        LABELS_ARRAY: columns.either,
        ROLES_ARRAY: columns.highest,
    }
    fresh = {name: read[name](array) if name in read else array for name, array in arrays.items()}
    counts = {name: array for name, array in arrays.items() if name.startswith(ARRAY_PREFIX)}
    # a ticket of two roles that are one today is counted once: a rule has no more hits of a role than hits
    return fresh | {name: np.append(c[0], np.minimum(columns.total(c[1:]), c[0])) for name, c in counts.items()}


def _pooled(probabilities: NDArray[np.floating], columns: Columns, multi_label: bool) -> Floats:
    """Return the probabilities of today's roles, [..., roles]."""
    return columns.either(probabilities) if multi_label else columns.total(probabilities)


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
    """Return the roles of the tickets that cut-offs are fitted on as 0/1, float64[roles] by ticket key."""
    kept, recent = _by_ticket(model.artefact, LABELS_ARRAY), _by_ticket(model.artefact, RECENT_ARRAY)
    if kept or not model.honest:
        return {key: row for key, row in kept.items() if recent.get(key, 1.0)}
    rows = {e.ticket_key: np.array([float(role in e.roles) for role in model.roles]) for e in reviews()}
    return {key: rows[key] for key in model.honest if key in rows and rows[key].any()}


def _by_ticket(artefact: Artefact, name: str) -> dict[str, Floats]:
    """Return the rows of a kept array by the training ticket that they are about."""
    kept = artefact.calibration.get(name)
    rows = () if kept is None else np.asarray(kept, dtype=np.float64)
    return dict(zip(trained_on(artefact.manifest), rows, strict=True)) if len(rows) else {}
