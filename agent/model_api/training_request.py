"""A client's request to train a classifier by name, and the job made from it.

The knobs are those of SetFit's own trainer, with its defaults. For `trainer = "setfit"` they are passed on as they are.
The default trainer compares all texts of a step with each other and not two by two, so there they scale its recipe:
the defaults give the recipe itself, and half of `num_iterations` or `learning_rate` is half as many passes over the
texts, half the step length. A batch of 16 pairs is one of 32 texts. A frozen encoder has no use for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from agent.errors import BadInput
from agent.fitting.head import assign_folds
from agent.fitting.job import Job, Recipe, Sample, Trainer
from agent.model_api.bounds import (
    MAX_CELLS,
    MAX_EXAMPLES,
    MAX_LABEL,
    MAX_LABELS,
    MAX_LABELS_PER_TEXT,
    MAX_TEXT,
)
from agent.text.reading import one_line

NUM_ITERATIONS, LEARNING_RATE, BATCH_SIZE = 20, 2e-5, 16  # SetFit's
TEXTS_PER_PAIR = 2
FOLDS = 5


def whole_line(pattern: str) -> str:
    """Return a pattern that ends in `$` for a decoder to which that also is the place before a last line break."""
    return pattern + r"(?!\n)"


MODEL_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

ModelName = Annotated[str, Meta(pattern=whole_line(MODEL_NAME))]
Label = Annotated[str, Meta(min_length=1, max_length=MAX_LABEL)]


class LabelledText(msgspec.Struct, frozen=True):
    """A text with its `label`, or with `labels` for a multi-label model."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
    label: Label | None = None
    labels: (
        Annotated[
            tuple[Label, ...],
            Meta(max_length=MAX_LABELS_PER_TEXT, description="In place of `label`, for multi-label models."),
        ]
        | None
    ) = None

    @property
    def all_labels(self) -> tuple[str, ...]:
        """The labels, each once. Blanks around one, and how its letters are composed, make no other label of it."""
        given = self.labels if self.label is None else (self.label,)
        return tuple(dict.fromkeys(map(one_line, given or ())))


class TrainingRequest(msgspec.Struct, frozen=True):
    """A classifier to train. If the name exists already, it gets a new version."""

    model_name: ModelName
    examples: Annotated[tuple[LabelledText, ...], Meta(min_length=2, max_length=MAX_EXAMPLES)]
    base_model: (
        Annotated[
            str,
            Meta(max_length=200, description="A base model that the operator allows; left out: the operator's own."),
        ]
        | None
    ) = None
    num_iterations: Annotated[int, Meta(ge=1, le=500, description="How long to tune, relative to the default.")] = (
        NUM_ITERATIONS
    )
    learning_rate: Annotated[float, Meta(gt=0, le=1e-2, description="Step length, relative to the default.")] = (
        LEARNING_RATE
    )
    batch_size: Annotated[int, Meta(ge=1, le=512, description="Pairs of texts a step.")] = BATCH_SIZE
    trainer: Annotated[
        Trainer,
        Meta(
            description="`contrastive` encodes every text once a step; `setfit` is the stock trainer, with exactly "
            "these numbers; `frozen` leaves the encoder as it is, which takes seconds."
        ),
    ] = "contrastive"
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0

    @property
    def multi_label(self) -> bool:
        """Whether any text has `labels`."""
        return any(example.labels is not None for example in self.examples)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Every label, sorted."""
        return tuple(sorted({label for example in self.examples for label in example.all_labels}))

    def encoded(self) -> bytes:
        """Return the request as JSON."""
        return msgspec.json.encode(self)


_DECODER = msgspec.json.Decoder(TrainingRequest)


def decoded(raw: str | bytes) -> TrainingRequest:
    """Return a request that was stored."""
    return _DECODER.decode(raw)


def request_of(wanted: Mapping[str, Any]) -> TrainingRequest:
    """Return the request with these fields. Raises BadInput with what is wrong with it."""
    try:
        request = msgspec.convert(wanted, TrainingRequest)
    except msgspec.ValidationError as error:
        raise BadInput(str(error)) from None
    for place, fault in faults(request):
        raise BadInput(f"{'.'.join(map(str, place))}: {fault}")
    return request


def faults(request: TrainingRequest) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield each reason why nothing can be learnt from a request, and the place in it; its form is right already."""
    for index, example in enumerate(request.examples):
        if (example.label is None) == (example.labels is None):
            yield ("examples", index), "either `label` or `labels` is needed, not both"
        elif not all(example.all_labels):
            yield ("examples", index), "a label needs a sign that can be seen"
    labels, texts = len(request.label_names), len(request.examples)
    if labels < 2:
        yield ("examples",), "examples of at least two labels are needed"
    if labels > MAX_LABELS:
        yield ("examples",), f"there are {labels} labels; a model has at most {MAX_LABELS}"
    elif labels * texts > MAX_CELLS:
        most = MAX_CELLS // labels
        yield ("examples",), f"{texts} examples of {labels} labels are too many: send at most {most}, or fewer labels"


def recipe(request: TrainingRequest, base_model: str, threads: int) -> Recipe:
    """Return the training recipe for the request's parameters (see the module)."""
    plain = Recipe(trainer=request.trainer, base_model=base_model, seed=request.seed, threads=threads)
    if request.trainer == "setfit":
        return replace(
            plain,
            setfit_iterations=request.num_iterations,
            setfit_learning_rate=request.learning_rate,
            setfit_batch_size=request.batch_size,
        )
    length = request.num_iterations / NUM_ITERATIONS
    return replace(
        plain,
        cross_fit_folds=FOLDS,
        epochs=plain.epochs * length,
        least_steps=max(1, round(plain.least_steps * length)),
        learning_rate=plain.learning_rate * request.learning_rate / LEARNING_RATE,
        batch_size=TEXTS_PER_PAIR * request.batch_size,
    )


def job(request: TrainingRequest, base_model: str, encoders: Path, threads: int = 1) -> Job:
    """Return the job. Equal texts are never both trained on and evaluated on.

    SetFit's own trainer is too slow to cross-fit: it is evaluated on a held-out stratified fifth.
    """
    named = ((fingerprint(example.text), example) for example in request.examples)
    samples = tuple(Sample(name, example.text, example.all_labels, group=name) for name, example in named)
    planned = Job(
        samples, request.label_names, recipe(request, base_model, threads), encoders, multi_label=request.multi_label
    )
    return _hold_out(planned) if request.trainer == "setfit" else planned


def fingerprint(text: str) -> str:
    """Return a hash of a text that ignores case and spacing."""
    return hashlib.sha256(" ".join(text.lower().split()).encode()).hexdigest()[:16]


def _hold_out(planned: Job) -> Job:
    labels = planned.labels()
    groups = np.unique([sample.group for sample in planned.samples], return_inverse=True)[1]
    held = assign_folds(labels, groups, FOLDS, planned.recipe.seed) == 0
    left = labels[~held].sum(axis=0)
    if not held.any() or (left == 0).any():
        return planned
    samples = (replace(s, part="other") if out else s for s, out in zip(planned.samples, held, strict=True))
    return replace(planned, samples=tuple(samples))
