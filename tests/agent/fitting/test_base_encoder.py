"""The base encoder is there before any model: exported in a child process, recorded with the hash of its files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from agent.fitting import base_encoder
from agent.serving.model import Encoder


def test_it_is_exported_and_known_as_long_as_its_files_are_what_was_written(tiny_base: Path, tmp_path: Path) -> None:
    encoders, base_model = tmp_path / "encoders", str(tiny_base)
    assert base_encoder.ready(encoders, base_model) is None
    fingerprint = asyncio.run(base_encoder.prepare(encoders, base_model))
    assert base_encoder.ready(encoders, base_model) == fingerprint
    assert base_encoder.ready(encoders, "another") is None
    assert sorted(file.name for file in encoders.iterdir()) == sorted([base_encoder.RECORD, fingerprint])
    vectors = Encoder.load(encoders / fingerprint).embed(["pump leaks oil", "lamp dark"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)

    (encoders / fingerprint / "body.onnx").write_bytes(b"changed")
    assert base_encoder.ready(encoders, base_model) is None


@pytest.mark.parametrize("content", ["", "[]", '{"base_model": "x", "encoder": "../../etc", "files": {}}'])
def test_a_record_that_says_nothing_useful_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / base_encoder.RECORD).write_text(content)
    assert base_encoder.ready(tmp_path, "x") is None
