"""Turn the result of a training process into an active version, evaluated on texts it was not trained on.

Scores are calibrated by a temperature and the labels' base rates, fitted on those honest answers. Both are affine in
the head's scores, so they are folded into its weights and apply wherever the softmax of this head is computed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.fitting import child
from agent.fitting.child import Limits
from agent.fitting.evaluation import evaluate
from agent.fitting.head import fit_temperature, out_of_fold, predict
from agent.fitting.job import FitResult, Job, Progress, describe, write_version
from agent.serving.artefact import Manifest
from agent.serving.model import TEMPERATURE
from agent.serving.registry import Registry
from agent.store.tables import utcnow

Judgement: TypeAlias = Literal["cross-fit", "held-out", "frozen cross-fit"]

Floats = NDArray[np.float64]


async def train(
    job: Job,
    registry: Registry,
    scratch: Path,
    limits: Limits,
    why: str,
    on_progress: Callable[[Progress], None] = child.ignore,
) -> Manifest:
    """Train in a separate process and publish the result. Raises FitFailed, OSError.

    Cancelling ends the process. Once publishing has begun it is completed, since half a version is of no use.
    """
    began = time.monotonic()
    result = await child.run(job, scratch, on_progress=on_progress, limits=limits)
    seconds = time.monotonic() - began
    publishing = asyncio.create_task(asyncio.to_thread(publish, job, result, registry, utcnow(), seconds, why))
    try:
        return await asyncio.shield(publishing)
    except asyncio.CancelledError:
        return await publishing
    finally:
        result.discard()


def publish(job: Job, result: FitResult, registry: Registry, now: datetime, seconds: float, why: str) -> Manifest:
    """Evaluate, calibrate, write and activate a new version. `seconds`: elapsed time of the training.

    Raises OSError when the version cannot be written.
    """
    judged_by, rows, honest = unseen_answers(job, result)
    labels = job.labels()[rows]
    temperature = fit_temperature(honest, labels, multi_label=job.multi_label)
    report = evaluate(temperature.calibrated(honest), labels, job.roles, multi_label=job.multi_label)
    metrics = {
        "accuracy": report.accuracy,
        "judged_by": judged_by,
        "pooled": asdict(report),
        "num_examples": len(job.samples),
        "training_duration_seconds": seconds,
    }
    parts = {part: [s.key for s in job.samples if s.part == part] for part in ("train", "other")}
    manifest = describe(job, result, registry, now, metrics, parts)
    write_version(registry, manifest, result, temperature.folded(result.head()), {TEMPERATURE: np.ones(1)})
    registry.activate(manifest.version, why)
    return manifest


def unseen_answers(job: Job, result: FitResult) -> tuple[Judgement, NDArray[np.intp], Floats]:
    """Return the method, rows and probabilities float64[rows, labels] to evaluate the model with.

    Without cross-fitted or held-out predictions, those of a head on the frozen encoder are used.
    """
    arrays, labels = result.arrays(), job.labels()
    held = job.rows("other")
    everything = np.arange(len(job.samples))
    if "out_of_fold" in arrays:
        return "cross-fit", everything, arrays["out_of_fold"].astype(np.float64)
    if len(held):
        answers = predict(result.head(), arrays["embeddings"][held], multi_label=job.multi_label)
        return "held-out", held, answers.astype(np.float64)
    answers = out_of_fold(arrays["base_embeddings"], labels, multi_label=job.multi_label)
    return "frozen cross-fit", everything, answers.astype(np.float64)
