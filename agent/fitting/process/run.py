"""Do one job from base model to files: what the training process is for.

An encoder is written as ONNX. The base is traced once and kept; a tuned body has the same graph, so its file is the
base's with other numbers. That takes a fifth of a second instead of a second trace, and the two can only differ in
weights.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.numpy import save_file
from torch import Tensor

from agent.fitting.job import ARRAYS, RESULT, FitResult, Job
from agent.fitting.process import stock
from agent.fitting.process.base import Base, locate, open_base
from agent.fitting.process.encoder import TrainableEncoder
from agent.fitting.process.session import Report, Session
from agent.serving.artefact import BODY, HEAD, TOKENIZER, Head
from agent.serving.model import Embeddings, Encoder


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
    torch.set_num_threads(job.recipe.threads)
    source = locate(job.recipe.base_model)
    base = open_base(source, job.recipe.max_tokens)
    phases.end("load")
    encoder = cached_encoder(base, job.encoders)
    phases.end("export_base")
    if not job.samples:
        return FitResult(folder, False, base.fingerprint, "", cpu_seconds=phases.seconds, peak_mb=_peak_mb())
    session = Session(job, base, source, folder / "setfit", report)
    phases.end("lower")
    if job.recipe.trainer == "setfit":
        stock.import_libraries()
        phases.end("import")
    rows = job.rows("train")
    tuning, stock_head = session.tune(rows)
    phases.end("tune")
    embeddings = session.embeddings(tuning)
    head = stock_head or session.head(embeddings, job.learnt())
    phases.end("head")
    _return_freed_memory()
    tuned = tuning.steps > 0
    if tuned:
        refill(encoder / BODY, tuning.weights, folder / BODY)
        shutil.copyfile(encoder / TOKENIZER, folder / TOKENIZER)
    parity = check_parity(encoder, (folder if tuned else encoder) / BODY, session.texts, embeddings)
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


def _hash(weights: Mapping[str, Tensor], head: Head) -> str:
    digest = hashlib.sha256(head.weights.tobytes() + head.bias.tobytes())
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


def _return_freed_memory() -> None:
    """Give the system what the allocator keeps of the tuning, before the export needs as much again (glibc only)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _peak_mb() -> float:
    """Return the most memory that this process held, in MB."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
        return float(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):
        # elsewhere than on Linux; there it would count what the parent held when it forked
        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10  # macOS counts bytes, others kB
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


OPSET = 20
PARITY_TEXTS = 32
LEAST_PARITY = 0.9999
AXES = {"input_ids": {0: "texts", 1: "tokens"}, "attention_mask": {0: "texts", 1: "tokens"}, "embedding": {0: "texts"}}


class ExportError(Exception):
    """The exported graph does not hold what was trained."""


def cached_encoder(base: Base, cache: Path) -> Path:
    """Return the folder of the base encoder's ONNX files under `cache`, exporting them when they are not there yet.

    The folder appears complete or not at all: it is built beside its place and renamed.
    """
    target = cache / base.fingerprint
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
    try:
        export(base, building)
        building.chmod(0o755)
        building.rename(target)
    except OSError:
        if not target.is_dir():  # otherwise another process was faster, with the same content
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def export(base: Base, folder: Path) -> None:
    """Write `body.onnx` and `tokenizer.json` of an encoder into an existing folder.

    The exporter merges equal tensors, which would then be tuned as one: the graph is traced with random weights, all
    different, and filled with the real ones afterwards.
    """
    weights = {name: tensor.clone() for name, tensor in base.body.state_dict().items()}
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in base.body.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=random))
    try:
        _trace(base.body, folder / BODY)
    finally:
        base.body.load_state_dict(weights)
    refill(folder / BODY, weights, folder / BODY, partly=True)
    base.tokenizer.save(str(folder / TOKENIZER))
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _trace(body: TrainableEncoder, target: Path) -> None:
    example = torch.ones((2, 8), dtype=torch.int64)
    with warnings.catch_warnings():
        # the newer exporter needs onnxscript and renames weights, which would make refilling impossible
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            body.eval(),
            (example, example),
            target,
            input_names=["input_ids", "attention_mask"],
            output_names=["embedding"],
            dynamic_axes=AXES,
            opset_version=OPSET,
            do_constant_folding=False,  # folding would rename the weights; ONNX Runtime folds when it loads
            dynamo=False,
        )


def refill(graph: Path, weights: Mapping[str, Tensor], target: Path, *, partly: bool = False) -> None:
    """Write a copy of an exported graph with `weights` in place of those of the same names.

    `partly` leaves out weights that the graph does not use, such as a pooler that no embedding depends on. Otherwise
    raises ExportError when a weight has no place in the graph: it would be trained and then not served.
    """
    model = onnx.load(graph)
    slots = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, value in weights.items():
        if partly and name not in slots:
            continue
        if name not in slots or tuple(slots[name].dims) != tuple(value.shape):
            raise ExportError(f"{graph}: no weight {name} of shape {tuple(value.shape)}")
        slots[name].CopyFrom(numpy_helper.from_array(value.detach().float().contiguous().numpy(), name))
    onnx.save(model, target)


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
