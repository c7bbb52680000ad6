"""Do one job from base model to files: what the training process is for."""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor

from agent.learning.fit import stock
from agent.learning.fit.base import Base, load_weights, locate, open_base
from agent.learning.fit.body import Tuning, tune
from agent.learning.fit.export import cached_encoder, check_parity, refill
from agent.learning.fit.hidden import lower_outputs, upper_embeddings
from agent.learning.head import assign_folds, calibrated_loss, fit_head, predict
from agent.learning.job import ARRAYS, RESULT, FitResult, Job
from agent.serving.artefact import HEAD, Head
from agent.serving.encoder import BODY, TOKENIZER, Embeddings

Report = Callable[[str, int, int], None]


class Phases:
    """Counts the CPU seconds of the process by phase, the first one from its start."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._counted = 0.0

    def end(self, phase: str) -> None:
        """Book everything since the last phase."""
        now = time.process_time()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._counted
        self._counted = now


def fit(job: Job, folder: Path, report: Report) -> FitResult:
    """Fit, and write head, tuned body and arrays into `folder`; result.json is last, so that whoever finds it has all.

    Raises UnusableBaseModel, ExportError, ValueError.
    """
    phases = Phases()
    phases.end("start")
    torch.set_num_threads(job.recipe.threads)
    source = locate(job.recipe.base_model)
    base = open_base(source, job.recipe.max_tokens)
    phases.end("load")
    encoder = cached_encoder(base, job.encoders)
    phases.end("export_base")
    work = _Fit(job, base, report)
    rows = job.rows("train")
    phases.end("lower")
    out_of_fold = None
    if job.recipe.trainer == "setfit":
        stock.import_libraries()
        phases.end("import")
        weights, head = _stock(job, source, rows, folder, report)
        phases.end("tune")
        load_weights(base.body, weights)
        embeddings = upper_embeddings(base, lower_outputs(base, work.texts, 0, lambda done: None), 0)
        tuning = Tuning(dict(base.body.state_dict()), 1)
    else:
        tuning = work.tune(rows) if job.recipe.trainer == "contrastive" else Tuning({}, 0)
        phases.end("tune")
        embeddings = upper_embeddings(base, work.outputs, work.layers) if tuning.steps else work.base_embeddings
        head = work.head(embeddings, rows)
    phases.end("head")
    tuned = tuning.steps > 0
    if tuned:
        refill(encoder / BODY, tuning.weights, folder / BODY)
        shutil.copyfile(encoder / TOKENIZER, folder / TOKENIZER)
    parity = check_parity(encoder, (folder if tuned else encoder) / BODY, work.texts, embeddings)
    save_file({"weights": head.weights, "bias": head.bias}, folder / HEAD)
    phases.end("export")
    if job.recipe.cross_fit_folds >= 2 and job.recipe.trainer != "setfit":
        out_of_fold = work.cross_fit(rows, tuning.steps)
    phases.end("cross_fit")
    arrays = {"base_embeddings": work.base_embeddings, "embeddings": embeddings}
    save_file(arrays | ({} if out_of_fold is None else {"out_of_fold": out_of_fold}), folder / ARRAYS)
    result = FitResult(
        folder=folder,
        tuned=tuned,
        encoder=base.fingerprint,
        weights_sha256=_hash(tuning.weights if tuned else {}, head),
        parity=parity,
        steps=tuning.steps,
        validation_losses=tuning.losses,
        cpu_seconds=phases.seconds,
        peak_mb=_peak_mb(),
    )
    (folder / RESULT).write_text(json.dumps(asdict(result) | {"folder": str(folder)}), "utf-8")
    return result


class _Fit:
    """The parts of a job that several fits share: the lower layers' output and the untouched base."""

    def __init__(self, job: Job, base: Base, report: Report) -> None:
        self._job, self._base, self._report = job, base, report
        self.texts = [sample.text for sample in job.samples]
        self.layers = job.recipe.frozen_layers if job.recipe.trainer == "contrastive" else base.body.depth
        self.outputs = lower_outputs(base, self.texts, self.layers, lambda done: report("read", done, len(self.texts)))
        self.base_embeddings = upper_embeddings(base, self.outputs, self.layers)
        self._labels = job.labels()
        self._weights = np.array([sample.weight for sample in job.samples])
        tunable = base.body.tunable(self.layers).items()
        self._untouched = {name: parameter.detach().clone() for name, parameter in tunable}

    def tune(self, rows: NDArray[np.intp], *, phase: str = "tune", stop_after: int | None = None) -> Tuning:
        """Tune a fresh copy of the base on some rows, watching the validation texts unless `stop_after` is given."""
        self._base.body.load_state_dict(self._untouched, strict=False)
        labels = self._labels[rows]
        if (labels.sum(axis=0) > 0).sum() < 2 or labels.sum(axis=0).max(initial=0) < 2:
            return Tuning({}, 0)  # nothing to tell apart, or no two texts to bring together
        watched = len(self._job.rows("validation")) > 0 and stop_after is None
        return tune(
            self._base,
            [self.outputs[row] for row in rows],
            labels,
            self._job.recipe,
            validate=(lambda: self._validation_loss(rows)) if watched else None,
            stop_after=stop_after,
            report=lambda done, total: self._report(phase, done, total),
        )

    def head(self, embeddings: Embeddings, rows: NDArray[np.intp]) -> Head:
        """Fit a head on some rows of `embeddings`, [samples, dim]."""
        return fit_head(
            embeddings[rows],
            self._labels[rows],
            multi_label=self._job.multi_label,
            weights=self._weights[rows],
            strength=self._job.recipe.head_strength,
        )

    def cross_fit(self, rows: NDArray[np.intp], steps: int) -> NDArray[np.float32]:
        """Return probabilities from bodies and heads that never saw a text's fold: float32[samples, roles].

        The only honest predictions of a tuned model on its training texts; NaN for the other samples.
        """
        job = self._job
        names = [sample.group or f"\0{number}" for number, sample in enumerate(job.samples)]
        groups = np.unique(names, return_inverse=True)[1]
        fold_of = assign_folds(self._labels[rows], groups[rows], job.recipe.cross_fit_folds, job.recipe.seed)
        probabilities = np.full(self._labels.shape, np.nan, dtype=np.float32)
        for fold in range(job.recipe.cross_fit_folds):
            kept, left = rows[fold_of != fold], rows[fold_of == fold]
            if not len(left):
                continue
            embeddings = self.base_embeddings
            if steps and self.tune(kept, phase=f"cross-fit {fold + 1}", stop_after=steps).steps:
                embeddings = upper_embeddings(self._base, self.outputs, self.layers)
            head = self.head(embeddings, kept)
            probabilities[left] = predict(head, embeddings[left], multi_label=job.multi_label)
        return probabilities

    def _validation_loss(self, rows: NDArray[np.intp]) -> float:
        """Return the loss of a head fitted on `rows`, judged on the validation texts."""
        job = self._job
        judged = job.rows("validation")
        both = np.concatenate([rows, judged])
        embeddings = np.zeros_like(self.base_embeddings)
        embeddings[both] = upper_embeddings(self._base, [self.outputs[row] for row in both], self.layers)
        head = self.head(embeddings, rows)
        return calibrated_loss(head, embeddings[judged], self._labels[judged], multi_label=job.multi_label)


def _stock(
    job: Job, source: Path, rows: NDArray[np.intp], folder: Path, report: Report
) -> tuple[dict[str, Tensor], Head]:
    scratch = folder / "setfit"
    try:
        return stock.train(
            source,
            [job.samples[row].text for row in rows],
            job.labels()[rows],
            job.recipe,
            multi_label=job.multi_label,
            scratch=scratch,
            report=lambda done, total: report("tune", done, total),
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _hash(weights: Mapping[str, Tensor], head: Head) -> str:
    digest = hashlib.sha256(head.weights.tobytes() + head.bias.tobytes())
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


def _peak_mb() -> float:
    """Return the most memory that this process held, in MB."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
        return float(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):
        # elsewhere than on Linux; there it would count what the parent held when it forked
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
