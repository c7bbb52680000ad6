"""A base encoder that was changed is exported anew; a base model that cannot be read leaves nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from agent.fitting import base_encoder
from agent.fitting.child import FitFailed
from agent.serving.model import Encoder
from tests.agent.fitting.conftest import tiny_base as tiny_base

TEXTS = ["pump leaks oil", "lamp dark"]


def test_changed_files_are_exported_anew(tiny_base: Path, tmp_path: Path) -> None:
    encoders, base_model = tmp_path / "encoders", str(tiny_base)
    fingerprint = asyncio.run(base_encoder.prepare(encoders, base_model))
    vectors = Encoder.load(encoders / fingerprint).embed(TEXTS)
    (encoders / fingerprint / "body.onnx").write_bytes(b"changed")
    assert base_encoder.ready(encoders, base_model) is None
    assert asyncio.run(base_encoder.prepare(encoders, base_model)) == fingerprint
    np.testing.assert_array_equal(Encoder.load(encoders / fingerprint).embed(TEXTS), vectors)


def test_a_base_model_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FitFailed, match="missing"):
        asyncio.run(base_encoder.prepare(tmp_path / "encoders", str(tmp_path / "empty")))
    assert list((tmp_path / "encoders").iterdir()) == []
