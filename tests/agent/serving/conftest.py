"""A model folder that needs no torch: an encoder that counts words, written as an ONNX graph by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from agent.serving.artefact import Head, Manifest, write

WORDS = ("[UNK]", "oil", "wire", "door")
ROLES = ("Hydraulics", "Electrical", "Locksmith")


def counting_encoder(folder: Path) -> str:
    """Write an encoder whose embedding says which of three words a text holds; return its fingerprint."""
    fingerprint = hashlib.sha256(b"counting").hexdigest()
    place = folder / fingerprint
    if place.is_dir():
        return fingerprint
    place.mkdir(parents=True)
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_padding(pad_id=0, pad_token="[UNK]")
    tokenizer.save(str(place / "tokenizer.json"))
    table = np.vstack([np.full(3, 0.01), np.eye(3)]).astype(np.float32)
    texts = ["texts", "tokens"]
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["vectors"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
            helper.make_node("Mul", ["vectors", "column"], ["kept"]),
            helper.make_node("ReduceSum", ["kept", "middle"], ["sum"], keepdims=0),
            helper.make_node("Add", ["sum", "little"], ["never_zero"]),
            helper.make_node("LpNormalization", ["never_zero"], ["embedding"], axis=-1, p=2),
        ],
        "counting",
        [helper.make_tensor_value_info(name, TensorProto.INT64, texts) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["texts", 3])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([-1], dtype=np.int64), "last"),
            numpy_helper.from_array(np.array([1], dtype=np.int64), "middle"),
            numpy_helper.from_array(np.array([1e-6], dtype=np.float32), "little"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), place / "body.onnx")
    return fingerprint


Build = Callable[..., Manifest]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return a function that writes a model folder under tmp_path/models and returns its manifest."""
    return builder(tmp_path)


def builder(folder: Path) -> Build:
    """Return a function that writes a model folder under `folder`/models and returns its manifest."""

    def write_model(
        version: str = "v1", *, tuned: bool = False, temperature: float = 1.0, **changes: object
    ) -> Manifest:
        encoder = counting_encoder(folder / "encoders")
        fields: dict[str, object] = {
            "version": version,
            "created_at": datetime(2026, 1, 2, tzinfo=UTC),
            "roles": ROLES,
            "multi_label": False,
            "trainer": "frozen",
            "base_model": "counting",
            "encoder": encoder,
            "tuned": tuned,
            "seed": 0,
            "tickets": {"train": ("helpdesk:1", "helpdesk:2")},
        }
        head = Head(np.eye(3, dtype=np.float32) * 4, np.zeros(3, dtype=np.float32))
        calibration = {"temperature": np.array([temperature]), "fusion": np.array([0.5, 2.0])}
        manifest = Manifest.model_validate(fields | changes)
        return write(folder / "models" / version, manifest, head, calibration, folder / "encoders" / encoder)

    return write_model
