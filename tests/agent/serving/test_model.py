"""Texts in, calibrated probabilities out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agent.serving.artefact import CorruptArtefact, Manifest
from agent.serving.heads import probabilities_of
from agent.serving.model import load

LOGITS = arrays(np.float32, (4, 3), elements=st.floats(-1e4, 1e4, width=32))

Build = Callable[..., Manifest]
ROLES = ("Hydraulics", "Electrical", "Locksmith")


@given(LOGITS, st.floats(0.05, 20))
def test_one_role_a_ticket_shares_out_one(logits: np.ndarray, temperature: float) -> None:
    shares = probabilities_of(logits, multi_label=False, temperature=temperature)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares >= 0).all()


@given(LOGITS)
def test_several_roles_a_ticket_are_judged_apart(logits: np.ndarray) -> None:
    chances = probabilities_of(logits, multi_label=True)
    assert ((chances >= 0) & (chances <= 1)).all()
    np.testing.assert_array_equal(chances[:, :1], probabilities_of(logits[:, :1], multi_label=True))


def test_the_role_whose_word_is_in_the_text_is_likeliest(build: Build, tmp_path: Path) -> None:
    build("v1")
    model = load(tmp_path / "models/v1", tmp_path / "encoders")
    probabilities = model.probabilities(["the wire is cut", "oil on the floor", "door stuck"])
    assert [ROLES[column] for column in probabilities.argmax(axis=1)] == ["Electrical", "Hydraulics", "Locksmith"]
    assert probabilities.dtype == np.float32
    assert model.probabilities([]).shape == (0, 3)


def test_a_high_temperature_makes_the_model_less_sure_of_the_same_answer(build: Build, tmp_path: Path) -> None:
    build("sharp")
    build("mild", temperature=4.0)
    sharp, mild = (load(tmp_path / "models" / name, tmp_path / "encoders") for name in ("sharp", "mild"))
    before, after = sharp.probabilities(["oil"])[0], mild.probabilities(["oil"])[0]
    assert before.argmax() == after.argmax() == 0
    assert after[0] < before[0] - 0.3


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_a_temperature_that_is_no_temperature_is_refused(build: Build, tmp_path: Path, temperature: float) -> None:
    build("v1", temperature=temperature)
    with pytest.raises(CorruptArtefact, match="temperature"):
        load(tmp_path / "models/v1", tmp_path / "encoders")
