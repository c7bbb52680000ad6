"""What is served is what was trained: the exported graph gives torch's numbers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.fitting.job import PACKAGED
from agent.fitting.process import source
from agent.fitting.process.session import check_parity
from agent.fitting.process.source import ExportError, UnusableBaseModel, locate
from agent.serving.model import Encoder
from tests.shared import Late

if TYPE_CHECKING:
    from agent.fitting.process.base import Base

pytestmark = pytest.mark.xdist_group("torch")  # one worker imports it
onnx = Late("onnx")
torch, bases, exports = Late("torch"), Late("agent.fitting.process.base"), Late("agent.fitting.process.export")

TEXTS = ["oil leaks", "", "printer paper jam " * 30, "the wifi is down and the router was cut", "key", "?!"]


def torch_embeddings(opened: Base, texts: list[str]) -> np.ndarray:
    """Return float32[n, dim] computed by torch."""
    rows = opened.tokenizer.encode_batch(texts)
    with torch.no_grad():
        ids, mask = torch.tensor([row.ids for row in rows]), torch.tensor([row.attention_mask for row in rows])
        return opened.body(ids, mask).numpy()


def test_the_packaged_encoder_exports_with_parity(tmp_path: Path) -> None:
    opened = bases.open_base(locate(PACKAGED, tmp_path), max_tokens=48)
    served = Encoder.load(exports.cached_encoder(opened, tmp_path)).embed(TEXTS)
    assert (served * torch_embeddings(opened, TEXTS)).sum(1).min() > 0.99999


def test_a_refilled_graph_gives_the_tuned_embeddings(tiny_base: Path, tmp_path: Path) -> None:
    opened = bases.open_base(tiny_base, max_tokens=32)
    folder = exports.cached_encoder(opened, tmp_path)
    before = Encoder.load(folder).embed(TEXTS)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in opened.body.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    exports.refill(folder / "body.onnx", opened.body.state_dict(), tmp_path / "tuned.onnx")
    after = Encoder.load(folder, body=tmp_path / "tuned.onnx").embed(TEXTS)
    assert (after * torch_embeddings(opened, TEXTS)).sum(1).min() > 0.99999
    assert (after * before).sum(1).max() < 0.999


def test_refilling_a_graph_changes_nothing_but_the_weights(tiny_base: Path, tmp_path: Path) -> None:
    opened = bases.open_base(tiny_base, max_tokens=32)
    graph, refilled = exports.cached_encoder(opened, tmp_path) / "body.onnx", tmp_path / "tuned.onnx"
    weights = {
        name: torch.full(value.shape, 7.5) for name, value in opened.body.state_dict().items() if "0.out" in name
    }
    assert len(weights) == 4
    before = graph.read_bytes()
    exports.refill(graph, weights, refilled)
    assert graph.read_bytes() == before
    wanted = onnx.load(graph)
    for tensor in wanted.graph.initializer:
        if tensor.name in weights:
            tensor.raw_data = weights[tensor.name].numpy().tobytes()
    assert refilled.read_bytes() == wanted.SerializeToString() != before


def test_a_weight_without_a_place_in_the_graph_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    folder = exports.cached_encoder(bases.open_base(tiny_base, max_tokens=32), tmp_path)
    with pytest.raises(ExportError, match=r"pooler\.dense"):
        exports.refill(folder / "body.onnx", {"pooler.dense.weight": torch.zeros(2)}, tmp_path / "tuned.onnx")


def test_the_base_is_exported_once_and_named_by_its_content(tiny_base: Path, tmp_path: Path) -> None:
    folder = exports.cached_encoder(bases.open_base(tiny_base, max_tokens=32), tmp_path)
    written = (folder / "body.onnx").stat().st_mtime_ns
    assert exports.cached_encoder(bases.open_base(tiny_base, max_tokens=32), tmp_path) == folder
    assert (folder / "body.onnx").stat().st_mtime_ns == written
    assert exports.cached_encoder(bases.open_base(tiny_base, max_tokens=16), tmp_path) != folder
    assert len(list(tmp_path.iterdir())) == 2


def test_altered_packaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(source, "PACKAGED_SHA256", "0" * 64)
    with pytest.raises(UnusableBaseModel, match="SHA-256"):
        locate(PACKAGED, tmp_path)


def test_pickled_weights_are_not_an_alternative(tiny_base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(tiny_base, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UnusableBaseModel, match=r"model\.safetensors is missing"):
        bases.open_base(folder, max_tokens=32)


def test_an_export_that_differs_from_what_was_trained_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    opened = bases.open_base(tiny_base, max_tokens=32)
    folder = exports.cached_encoder(opened, tmp_path)
    trained = torch_embeddings(opened, TEXTS)
    assert check_parity(folder, folder / "body.onnx", TEXTS, trained) > 0.9999
    with pytest.raises(ExportError, match="differs from the trained one"):
        check_parity(folder, folder / "body.onnx", TEXTS, trained[::-1])
