"""Whatever moment the training process dies at, the champion serves on and nothing half-written is ever loaded."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from agent.fitting.child import FitFailed, run
from agent.fitting.job import FitResult, Job, Recipe, Sample
from agent.serving.active import ActiveModel
from agent.serving.artefact import Manifest, write
from agent.serving.model import load
from agent.serving.registry import Registry, new_version
from tests.training_processes import training_processes

ROLES = ("Hydraulics", "Electrical")
TEXTS = (
    ("pump leaks oil", "Hydraulics"),
    ("hose burst", "Hydraulics"),
    ("lamp dark", "Electrical"),
    ("cable", "Electrical"),
)


def publish(registry: Registry, job: Job, result: FitResult) -> str:
    """Write what a fit left as a version."""
    version = new_version(datetime.now(UTC))
    manifest = Manifest(
        version=version,
        created_at=datetime.now(UTC),
        roles=job.roles,
        multi_label=False,
        trainer=job.recipe.trainer,
        base_model=job.recipe.base_model,
        encoder=result.encoder,
        tuned=result.tuned,
        seed=0,
    )
    encoder = result.folder if result.tuned else registry.encoders / result.encoder
    write(registry.folder(version), manifest, result.head(), {}, encoder)
    result.discard()
    return version


def test_killed_at_ten_random_moments(tiny_base: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models", tmp_path / "encoders")
    recipe = Recipe(base_model=str(tiny_base), frozen_layers=1, least_steps=100_000)
    job = Job(tuple(Sample(text, text, (role,)) for text, role in TEXTS), ROLES, recipe, registry.encoders)
    short = replace(job, recipe=replace(recipe, least_steps=5))
    champion = publish(registry, short, asyncio.run(run(short, tmp_path / "scratch")))
    registry.activate(champion, "first")
    active = ActiveModel(registry.models, partial(load, encoders=registry.encoders))
    active.refresh()

    async def kill_after(seconds: float) -> None:
        fit = asyncio.create_task(run(job, tmp_path / "scratch"))
        await asyncio.sleep(seconds)
        if not fit.done():
            (child,) = training_processes()
            os.kill(child, signal.SIGKILL)
        with pytest.raises(FitFailed):
            publish(registry, job, await fit)

    chance = random.Random(0)
    for _ in range(10):
        asyncio.run(kill_after(chance.uniform(0.1, 3.5)))
        active.refresh()
        assert active.problem is None
        assert active.current is not None
        assert active.current.version == champion
        assert active.current.probabilities(["oil"]).shape == (1, 2)
        assert [manifest.version for manifest in registry.versions()] == [champion]
        assert list((tmp_path / "scratch").iterdir()) == []
    newer = publish(registry, short, asyncio.run(run(short, tmp_path / "scratch")))
    registry.activate(newer, "the machine still trains")
    assert active.refresh()
