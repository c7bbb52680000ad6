"""Do one job from base model to files: what the training process is for.

torch is imported only where something is tuned, or the base encoder has not been exported yet.
"""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from agent.fitting.job import ARRAYS, RESULT, FitResult, Job
from agent.fitting.process.session import Report, Session, check_parity, embed
from agent.fitting.process.source import Source, locate, read_source
from agent.serving.artefact import BODY, HEAD, TOKENIZER, Head
from agent.serving.model import Encoder, return_freed_memory

if TYPE_CHECKING:
    from torch import Tensor


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

    A job without samples only makes sure that the base encoder is there.
    Raises UnusableBaseModel, ExportError, and ValueError where the stock trainer cannot work with what it is given.
    """
    phases = Phases()
    phases.end("start")
    source = read_source(locate(job.recipe.base_model, job.encoders), job.recipe.max_tokens)
    phases.end("load")
    encoder = exported(source, job.encoders)
    phases.end("export_base")
    if not job.samples:
        return FitResult(folder, False, source.fingerprint, "", cpu_seconds=phases.seconds, peak_mb=_peak_mb())
    session = open_session(job, source, encoder, folder / "setfit", report)
    phases.end("lower")
    rows = job.rows("train")
    tuning, stock_head = session.tune(rows)
    phases.end("tune")
    embeddings = session.embeddings(tuning)
    head = stock_head or session.head(embeddings, job.learnt())
    phases.end("head")
    return_freed_memory()  # before the export needs as much again
    tuned = tuning.steps > 0
    parity = 1.0
    if tuned:
        from agent.fitting.process.export import refill

        refill(encoder / BODY, tuning.weights, folder / BODY)
        shutil.copyfile(encoder / TOKENIZER, folder / TOKENIZER)
        parity = check_parity(encoder, folder / BODY, session.texts, embeddings)
        return_freed_memory()  # of the encoder that was looked at, before the folds are tuned
    save_file({"weights": head.weights, "bias": head.bias}, folder / HEAD)
    phases.end("export")
    arrays: dict[str, NDArray[np.float32]] = {"base_embeddings": session.base_embeddings, "embeddings": embeddings}
    if job.recipe.cross_fit_folds >= 2:
        arrays["out_of_fold"] = session.cross_fit(job.learnt(), tuning.steps)
        phases.end("cross_fit")
    shutil.rmtree(folder / "setfit", ignore_errors=True)
    save_file(arrays, folder / ARRAYS)
    result = FitResult(
        folder=folder,
        tuned=tuned,
        encoder=source.fingerprint,
        weights_sha256=_hash(tuning.weights, head),
        parity=parity,
        steps=tuning.steps,
        validation_losses=tuning.losses,
        cpu_seconds=phases.seconds,
        peak_mb=_peak_mb(),
    )
    (folder / RESULT).write_text(json.dumps(asdict(result) | {"folder": str(folder)}), "utf-8")
    return result


def exported(source: Source, encoders: Path) -> Path:
    """Return the folder of the base encoder's ONNX files under `encoders`, exporting them where they are not there."""
    target = encoders / source.fingerprint
    if target.is_dir():
        return target
    from agent.fitting.process.base import load_base
    from agent.fitting.process.export import cached_encoder

    return cached_encoder(load_base(source), encoders)


def open_session(job: Job, source: Source, encoder: Path, scratch: Path, report: Report) -> Session:
    """Return what fits the job: as it is served where the encoder stays frozen, else in torch."""
    threads = job.recipe.threads
    if job.recipe.trainer == "frozen":
        texts = [sample.text for sample in job.samples]
        return Session(job, embed(Encoder.load(encoder, threads=threads), texts, report))
    import torch

    from agent.fitting.process import stock
    from agent.fitting.process.base import load_base
    from agent.fitting.process.tuned_session import TunedSession

    torch.set_num_threads(threads)
    if job.recipe.trainer == "setfit":
        stock.import_libraries()
    return TunedSession(job, load_base(source), source.folder, scratch, report)


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
        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10  # macOS counts bytes, others kB
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
