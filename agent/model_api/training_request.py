"""A client's request to train a classifier by name, and the job made from it.

The knobs are those of SetFit's own trainer, with its defaults. For `trainer = "setfit"` they are passed on as they are.
The default trainer compares all texts of a step with each other and not two by two, so there they scale its recipe:
the defaults give the recipe itself, and half of `num_iterations` or `learning_rate` is half as many passes over the
texts, half the step length. A batch of 16 pairs is one of 32 texts. A frozen encoder has no use for them.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agent.fitting.head import assign_folds
from agent.fitting.job import Job, Recipe, Sample
from agent.text.reading import one_line

NUM_ITERATIONS, LEARNING_RATE, BATCH_SIZE = 20, 2e-5, 16  # SetFit's
TEXTS_PER_PAIR = 2
FOLDS = 5
MAX_EXAMPLES = 20_000
MAX_TEXT = 100_000  # characters; only the first tokens are read

MODEL_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

ModelName = Annotated[str, StringConstraints(pattern=MODEL_NAME)]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]


def _named(label: str) -> str:
    if not (name := one_line(label)):
        raise ValueError("a label needs a sign that can be seen")
    return name


Label = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_named)]
"""Blanks around a label, and how its letters are composed, make no other label of it."""


class LabelledText(BaseModel):
    """A text with its `label`, or with `labels` for a multi-label model."""

    model_config = ConfigDict(frozen=True)

    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
    label: Label | None = None
    labels: tuple[Label, ...] | None = Field(default=None, description="In place of `label`, for multi-label models.")

    @model_validator(mode="after")
    def _one_of_both(self) -> LabelledText:
        if (self.label is None) == (self.labels is None):
            raise ValueError("either label or labels, not both")
        return self

    @property
    def all_labels(self) -> tuple[str, ...]:
        """The labels, each once."""
        given = self.labels if self.label is None else (self.label,)
        return tuple(dict.fromkeys(given or ()))


class TrainingRequest(BaseModel):
    """A classifier to train. If the name exists already, it gets a new version."""

    model_config = ConfigDict(frozen=True)

    model_name: ModelName
    base_model: str | None = Field(
        default=None, max_length=200, description="A base model that the operator allows; left out: the operator's own."
    )
    examples: tuple[LabelledText, ...] = Field(min_length=2, max_length=MAX_EXAMPLES)
    num_iterations: int = Field(
        default=NUM_ITERATIONS, ge=1, le=500, description="How long to tune, relative to the default."
    )
    learning_rate: float = Field(
        default=LEARNING_RATE, gt=0, le=1e-2, allow_inf_nan=False, description="Step length, relative to the default."
    )
    batch_size: int = Field(default=BATCH_SIZE, ge=1, le=512, description="Pairs of texts a step.")
    trainer: Literal["contrastive", "setfit", "frozen"] = Field(
        default="contrastive",
        description="`contrastive` encodes every text once a step; `setfit` is the stock trainer, with exactly these "
        "numbers; `frozen` leaves the encoder as it is, which takes seconds.",
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _can_be_learnt(self) -> TrainingRequest:
        if len(self.label_names) < 2:
            raise ValueError("examples of at least two labels are needed")
        return self

    @property
    def multi_label(self) -> bool:
        """Whether any text has `labels`."""
        return any(example.labels is not None for example in self.examples)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Every label, sorted."""
        return tuple(sorted({label for example in self.examples for label in example.all_labels}))

    def digest(self) -> str:
        """Return the SHA-256 of the whole request."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


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
