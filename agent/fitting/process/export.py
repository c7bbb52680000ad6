"""Write an encoder as ONNX.

The base is traced once and kept; a tuned body has the same graph, so its file is the base's with other numbers. That
takes a fifth of a second instead of a second trace, and the two can only differ in weights.
"""

from __future__ import annotations

import math
import mmap
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
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

    Written over the numbers of the copy: read and saved as a whole, the graph would stand in memory three times.

    `partly` leaves out weights that the graph does not use, such as a pooler that no embedding depends on. Otherwise
    raises ExportError when a weight has no place in the graph: it would be trained and then not served.
    """
    slots = weight_slots(graph)
    if target != graph:
        shutil.copyfile(graph, target)
    with target.open("r+b") as file:
        for name, value in weights.items():
            if partly and name not in slots:
                continue
            if name not in slots or slots[name].shape != tuple(value.shape):
                raise ExportError(f"{graph}: no weight {name} of shape {tuple(value.shape)}")
            file.seek(slots[name].begins)
            file.write(value.detach().contiguous().numpy().astype("<f4", copy=False).data)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the numbers of a weight lie in a graph's file: float32 of a shape, from a byte on."""

    shape: tuple[int, ...]
    begins: int


MODEL_GRAPH, GRAPH_INITIALIZER = 7, 5
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW = 1, 2, 8, 9
TENSOR_FLOAT = 1
"""Numbers of fields in https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3, and of the type float32."""

VARINT, FIXED64, SIZED, FIXED32 = 0, 1, 2, 5
"""Wire types (https://protobuf.dev/programming-guides/encoding)."""

Value: TypeAlias = int | range
"""A number, or the bytes from where to where something longer lies."""


def weight_slots(graph: Path) -> dict[str, Slot]:
    """Return where an ONNX file keeps its float32 weights, by their names, without reading the weights."""
    slots = {}
    with graph.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for content in _sized(data, range(len(data)), MODEL_GRAPH):
            for tensor in _sized(data, content, GRAPH_INITIALIZER):
                fields = list(_fields(data, tensor))
                known = dict(fields)
                name, raw = known.get(TENSOR_NAME), known.get(TENSOR_RAW)
                shape = tuple(value for number, value in fields if number == TENSOR_DIMS and isinstance(value, int))
                if not isinstance(name, range) or not isinstance(raw, range):
                    continue
                if known.get(TENSOR_TYPE) == TENSOR_FLOAT and len(raw) == 4 * math.prod(shape):
                    slots[data[name.start : name.stop].decode()] = Slot(shape, raw.start)
    return slots


def _sized(data: mmap.mmap, within: range, wanted: int) -> Iterator[range]:
    for number, value in _fields(data, within):
        if number == wanted and isinstance(value, range):
            yield value


def _fields(data: mmap.mmap, within: range) -> Iterator[tuple[int, Value]]:
    """Yield the fields of the message that lies there, by number."""
    at = within.start
    while at < within.stop:
        key, at = _varint(data, at)
        kind = key & 7
        value: Value
        if kind == VARINT:
            value, at = _varint(data, at)
        else:
            size, at = _varint(data, at) if kind == SIZED else ({FIXED64: 8, FIXED32: 4}[kind], at)
            value = range(at, at + size)
            at += size
        yield key >> 3, value


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    """Return the number that begins there, seven bits a byte and the lowest first, and where it ends."""
    number, shift = 0, 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
