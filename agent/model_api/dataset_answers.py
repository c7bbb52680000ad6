"""Judge a named classifier on a data set: every answer beside the data set's, most confident mistakes first."""

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
class Answer:
    """What the model says about one text, with its calibrated probability."""

    row: Row
    predicted: str
    confidence: float

    @property
    def right(self) -> bool:
        """Whether the data set says the same."""
        return self.predicted == self.row.label


def unseen(rows: Sequence[Row], manifest: Manifest) -> list[Row]:
    """Return the rows whose texts the model was not trained on."""
    seen = set(manifest.tickets.get("train", ()))
    return [row for row in rows if fingerprint(row.text) not in seen]


def answer(
    model: RoleModel, rows: Sequence[Row], on_progress: Callable[[int], None] = lambda done: None
) -> tuple[list[Answer], Report]:
    """Return all answers in the order of `rows`, and their quality; labels unknown to the model are always missed."""
    labels = (*model.roles, *sorted({row.label for row in rows} - set(model.roles)))
    probabilities = np.zeros((len(rows), len(labels)))
    for start in range(0, len(rows), CHUNK):
        chunk = [row.text for row in rows[start : start + CHUNK]]
        probabilities[start : start + CHUNK, : len(model.roles)] = model.probabilities(chunk)
        on_progress(start + len(chunk))
    truth = np.array([[float(label == row.label) for label in labels] for row in rows])
    best = probabilities.argmax(axis=1)
    answers = [
        Answer(row, labels[column], float(probabilities[index, column]))
        for index, (row, column) in enumerate(zip(rows, best, strict=True))
    ]
    return answers, evaluate(probabilities, truth, labels)


def mistakes(answers: Sequence[Answer]) -> list[Answer]:
    """Return the wrong answers, the most confident first: there the data set is most often at fault."""
    return sorted((a for a in answers if not a.right), key=lambda a: -a.confidence)
