"""The fits of one job on a frozen encoder: the one that will serve, and those that leave a fold out.

Texts are embedded by the graph that serves, so this needs no torch, whose import alone costs more than such a fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agent.fitting.head import assign_folds, fit_head, predict
from agent.fitting.job import Job
from agent.fitting.process.source import ExportError
from agent.serving.artefact import Head
from agent.serving.model import Embeddings, Encoder

if TYPE_CHECKING:
    from torch import Tensor

Report = Callable[[str, int, int], None]
"""Hears the phase, and how many of how many units are done."""

Rows = NDArray[np.intp]

TEXTS_PER_REPORT = 256

PARITY_TEXTS = 32
LEAST_PARITY = 0.9999


@dataclass(frozen=True, slots=True)
class Tuning:
    """The weights that tuning ended with, by name, and what it looked like on the way; none without steps."""

    weights: Mapping[str, Tensor]
    steps: int
    losses: dict[int, float] = field(default_factory=dict)


class Session:
    """Holds what the encoder makes of every text of a job."""

    def __init__(self, job: Job, base_embeddings: Embeddings) -> None:
        self._job, self.base_embeddings = job, base_embeddings
        self.texts = [sample.text for sample in job.samples]
        self._labels = job.labels()
        self._weights = np.array([sample.weight for sample in job.samples])

    def tune(self, rows: Rows, *, phase: str = "tune", stop_after: int | None = None) -> tuple[Tuning, Head | None]:
        """Tune the base on some rows as the recipe says, and return a head if that brings one: here, nothing."""
        return Tuning({}, 0), None

    def embeddings(self, tuning: Tuning) -> Embeddings:
        """Return what the body, as the last tuning left it, makes of every text: float32[samples, dim]."""
        return self.base_embeddings

    def head(self, embeddings: Embeddings, rows: Rows) -> Head:
        """Fit a head on some rows of `embeddings`, [samples, dim]."""
        return fit_head(
            embeddings[rows],
            self._labels[rows],
            multi_label=self._job.multi_label,
            weights=self._weights[rows],
            strength=self._job.recipe.head_strength,
        )

    def cross_fit(self, rows: Rows, steps: int) -> NDArray[np.float32]:
        """Return probabilities from bodies and heads that never saw a text's fold: float32[samples, roles].

        The only honest predictions of a tuned model on the texts that its head was fitted on (`rows`); NaN for the
        other samples. `steps` is where the tuning that will serve ended: 0 needs no bodies.
        """
        job, tuned_on = self._job, self._job.rows("train")
        names = [sample.group or f"\0{number}" for number, sample in enumerate(job.samples)]
        groups = np.unique(names, return_inverse=True)[1]
        fold_of = assign_folds(self._labels[rows], groups[rows], job.recipe.cross_fit_folds, job.recipe.seed)
        probabilities = np.full(self._labels.shape, np.nan, dtype=np.float32)
        for fold in range(job.recipe.cross_fit_folds):
            kept, left = rows[fold_of != fold], rows[fold_of == fold]
            if len(left):
                tuning, stock_head = self.tune(
                    np.intersect1d(kept, tuned_on), phase=f"cross-fit {fold + 1}", stop_after=steps
                )
                embeddings = self.embeddings(tuning)
                head = stock_head or self.head(embeddings, kept)
                probabilities[left] = predict(head, embeddings[left], multi_label=job.multi_label)
        return probabilities


def embed(encoder: Encoder, texts: Sequence[str], report: Report) -> Embeddings:
    """Return the embeddings of `texts`, float32[texts, dim]."""
    embeddings = np.empty((len(texts), encoder.dim), dtype=np.float32)
    for start in range(0, len(texts), TEXTS_PER_REPORT):
        end = min(start + TEXTS_PER_REPORT, len(texts))
        embeddings[start:end] = encoder.embed(texts[start:end])
        report("read", end, len(texts))
    return embeddings


def check_parity(encoder: Path, body: Path, texts: Sequence[str], embeddings: Embeddings) -> float:
    """Return the lowest cosine between what serving and training make of some of the texts.

    Raises ExportError below LEAST_PARITY: the model that would serve is not the one that was judged.
    """
    some = np.linspace(0, len(texts) - 1, min(PARITY_TEXTS, len(texts)), dtype=np.intp)
    served = Encoder.load(encoder, body=body).embed([texts[row] for row in some])
    parity = float((served * embeddings[some]).sum(axis=1).min(initial=1.0))
    if not parity >= LEAST_PARITY:
        raise ExportError(f"the exported encoder differs from the trained one: cosine {parity:.4f}")
    return parity
