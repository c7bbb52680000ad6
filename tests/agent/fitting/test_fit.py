"""What a fit makes of a job, in the test's own process: its process is the matter of test_child.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.fitting.job import Job, Sample
from agent.fitting.process.run import fit
from tests.agent.fitting.tiny_job import TEXTS

pytestmark = pytest.mark.xdist_group("torch")  # one worker imports it


def quietly(phase: str, done: int, total: int) -> None:
    """Do nothing with progress."""


def test_a_frozen_fit_writes_no_second_copy_of_the_encoder(job: Job, tmp_path: Path) -> None:
    result = fit(replace(job, recipe=replace(job.recipe, trainer="frozen")), tmp_path, quietly)
    assert not result.tuned
    assert not (result.folder / "body.onnx").exists()
    np.testing.assert_array_equal(result.arrays()["embeddings"], result.arrays()["base_embeddings"])


def test_validation_texts_decide_when_to_stop(job: Job, tmp_path: Path) -> None:
    watched = [
        replace(sample, part="validation") if number % 4 == 0 else sample for number, sample in enumerate(job.samples)
    ]
    result = fit(replace(job, samples=tuple(watched)), tmp_path, quietly)
    assert result.validation_losses[result.steps] == min(result.validation_losses.values())
    assert 0 in result.validation_losses


def test_texts_of_several_roles_can_be_fitted(job: Job, tmp_path: Path) -> None:
    both = [
        replace(sample, roles=(*sample.roles, "Nobody")) if number % 2 else sample
        for number, sample in enumerate(job.samples)
    ]
    result = fit(replace(job, samples=tuple(both), multi_label=True), tmp_path, quietly)
    assert result.head().weights.shape == (4, 32)


@pytest.mark.parametrize("roles", [("Hydraulics",), ("Hydraulics", "Electrical")])
def test_too_few_texts_to_compare_still_give_a_model(job: Job, tmp_path: Path, roles: tuple[str, ...]) -> None:
    few = tuple(Sample(role, TEXTS[role][0], (role,)) for role in roles)
    result = fit(replace(job, samples=few), tmp_path, quietly)
    assert not result.tuned
    assert np.isfinite(result.head().weights).all()
