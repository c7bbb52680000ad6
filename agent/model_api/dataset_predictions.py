"""Evaluate a named classifier on a data set: a prediction for each row, most confident mistakes first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agent.fitting.evaluation import Report, evaluate
from agent.model_api.datasets import Row
from agent.model_api.training_request import fingerprint
from agent.serving.artefact import Manifest
from agent.serving.model import RoleModel

CHUNK = 256  # texts between two reports of progress


@dataclass(frozen=True, slots=True)
class RowPrediction:
    """The label that the model predicts for one row, with its calibrated probability."""

    row: Row
    predicted: str
    confidence: float

    @property
    def right(self) -> bool:
        """Whether the data set has the same label."""
        return self.predicted == self.row.label


def unseen(rows: Sequence[Row], manifest: Manifest) -> list[Row]:
    """Return the rows whose texts the model was not trained on."""
    seen = set(manifest.tickets.get("train", ()))
    return [row for row in rows if fingerprint(row.text) not in seen]


def predict(
    model: RoleModel, rows: Sequence[Row], on_progress: Callable[[int], None] = lambda done: None
) -> tuple[list[RowPrediction], Report]:
    """Return a prediction for each row, in order, and their quality; labels unknown to the model are always missed."""
    labels = (*model.roles, *sorted({row.label for row in rows} - set(model.roles)))
    probabilities = np.zeros((len(rows), len(labels)))
    for start in range(0, len(rows), CHUNK):
        chunk = [row.text for row in rows[start : start + CHUNK]]
        probabilities[start : start + CHUNK, : len(model.roles)] = model.probabilities(chunk)
        on_progress(start + len(chunk))
    truth = np.array([[float(label == row.label) for label in labels] for row in rows])
    best = probabilities.argmax(axis=1)
    predictions = [
        RowPrediction(row, labels[column], float(probabilities[index, column]))
        for index, (row, column) in enumerate(zip(rows, best, strict=True))
    ]
    return predictions, evaluate(probabilities, truth, labels)


def mistakes(predictions: Sequence[RowPrediction]) -> list[RowPrediction]:
    """Return the wrong predictions, most confident first: among these the data set is most often wrong."""
    return sorted((p for p in predictions if not p.right), key=lambda p: -p.confidence)
