"""Write an encoder as ONNX.

The base is traced once and kept; a tuned body has the same graph, so its file is the base's with other numbers. That
takes a fifth of a second instead of a second trace, and the two can only differ in weights.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from agent.fitting.process.base import Base, lower_outputs, upper_embeddings
from agent.fitting.process.encoder import TrainableEncoder
from agent.fitting.process.session import check_parity
from agent.fitting.process.source import ExportError
from agent.serving.artefact import BODY, TOKENIZER

OPSET = 20
AXES = {"input_ids": {0: "texts", 1: "tokens"}, "attention_mask": {0: "texts", 1: "tokens"}, "embedding": {0: "texts"}}
PROBES = (
    "",
    "no",
    "The printer on the second floor prints empty pages.",
    "Störung: Pumpe läuft nicht",
    "a b c d " * 99,
)
"""Texts of all lengths, whose embeddings training and serving must agree on before an exported base is kept."""


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
    different, and filled with the real ones afterwards. Raises ExportError where the embeddings differ from torch's.
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
    lower = zip(PROBES, lower_outputs(base, PROBES, base.body.depth, lambda done: None), strict=True)
    read = {text: output for text, output in lower if len(output)}  # some tokenizers make nothing of an empty text
    check_parity(folder, folder / BODY, list(read), upper_embeddings(base, list(read.values()), base.body.depth))
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
