"""Turn what a training process left behind into a version that answers by name, judged on texts it had not seen.

Scores are calibrated by a temperature and the labels' base rates, fitted on those honest answers. Both are affine in
the head's scores, so they are folded into its weights: whoever computes the softmax of this head has them.
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
    """Fit in a process of its own and publish what came of it. Raises FitFailed, OSError.

    Cancelling ends the process; once publishing has begun it is too late, since half a version helps nobody.
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
    """Judge, calibrate, write a new version and let it serve. `seconds`: what the training took, on the clock.

    Raises OSError when the disk refuses.
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
    """Return how, on which rows, and with which probabilities float64[rows, labels] the model can be judged.

    Where it can be neither cross-fitted nor judged on texts that were kept from it, a frozen encoder stands in.
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
