"""A hundred nights fit on the disk, and what is needed is still there after them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.model_api.named_models import NamedModels
from agent.serving.artefact import MANIFEST, Manifest
from agent.serving.pruning import clear, dispensable, prune, tidied
from agent.serving.registry import Pointer, Registry
from tests.agent.serving.conftest import build as build

MEGABYTE = 1_000_000
VERSION_BYTES = 90 * MEGABYTE
MOST_BYTES = 1_500 * MEGABYTE
NIGHTS = 100
FIRST = datetime(2026, 1, 1, 2, 30, tzinfo=UTC)

Build = Callable[..., Manifest]


class Killed(BaseException):
    """The training's process ends in the middle of writing."""


def size(folder: Path) -> int:
    """Return how many bytes the files of a folder would take if none were sparse."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def sparse(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as body:
        body.truncate(VERSION_BYTES)


def at(night: int) -> datetime:
    return FIRST + timedelta(days=night)


def name_of(night: int) -> str:
    return f"{at(night):%Y%m%dT%H%M%SZ}-00000{night % 10}"


def accuracy_of(night: int) -> float:
    return 0.99 if night == 4 else 0.8


def train(registry: Registry, build: Build, night: int, scratch: Path) -> None:
    """Write a version of 90 MB; every second one is promoted, every tenth night ends in the middle."""
    sparse(scratch / f"fit-{night}/body.onnx")
    if night % 10 == 9:
        unfinished = registry.models / f".building-{night}"
        sparse(unfinished / "body.onnx")
        os.utime(unfinished, (at(night).timestamp(),) * 2)
        raise Killed
    made = registry.models.parent / "made"
    if not made.exists():
        build("first")
        registry.folder("first").rename(made)
    stated = json.loads((made / MANIFEST).read_text()) | {"metrics": {"accuracy": accuracy_of(night)}}
    shutil.copytree(made, registry.folder(version := name_of(night)))
    (registry.folder(version) / MANIFEST).write_text(json.dumps(stated | {"version": version}))
    sparse(registry.folder(version) / "weights")
    if night % 2 == 0:
        registry.activate(version, "a test")


@contextmanager
def untidied(*_given: object) -> Iterator[None]:
    yield


def nights(
    registry: Registry, build: Build, scratch: Path, count: int, around: Callable[..., object] = tidied
) -> list[int]:
    """Return the size of the folder of models at each night's end, at its largest."""
    sizes = []
    for night in range(count):
        block = around(registry, scratch, 10, at(night))
        with suppress(Killed), block:  # type: ignore[attr-defined]
            try:
                train(registry, build, night, scratch)
            finally:
                sizes.append(size(registry.models))
    return sizes


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models", tmp_path / "encoders")


def test_a_hundred_nights_stay_within_bounds(registry: Registry, build: Build, tmp_path: Path) -> None:
    sizes = nights(registry, build, tmp_path / "training", NIGHTS)
    assert len(sizes) == NIGHTS
    assert max(sizes) < MOST_BYTES
    pointer = registry.active()
    assert pointer is not None
    assert (pointer.version, pointer.predecessor) == (name_of(98), name_of(96))
    there = [manifest.version for manifest in registry.versions()]
    newest = [name_of(night) for night in range(NIGHTS) if night % 10 != 9][-10:]
    assert there == [name_of(4), *newest]
    assert size(tmp_path / "training") <= VERSION_BYTES
    assert registry.rollback("the way back").version == name_of(96)


def test_control_without_pruning_the_disk_fills(registry: Registry, build: Build, tmp_path: Path) -> None:
    assert max(nights(registry, build, tmp_path / "training", NIGHTS // 4, untidied)) > MOST_BYTES


def test_a_hundred_trainings_of_a_named_model_stay_within_bounds(build: Build, tmp_path: Path) -> None:
    """The same for a name of the model API, whose every version serves."""
    models = NamedModels(tmp_path, tmp_path / "encoders", tmp_path / "the agent's own")
    registry, sizes = models.registry("models"), []
    for night in range(NIGHTS):
        with suppress(Killed):
            train(registry, build, night, tmp_path / "training")
            registry.activate(name_of(night), "a test")
        sizes.append(size(registry.models))
        if night % 10 == 9:
            models.clear(at(night) + timedelta(hours=2))  # as the server does when it starts again
        else:
            prune(registry, 10)
    assert max(sizes) < MOST_BYTES
    assert name_of(4) in {manifest.version for manifest in registry.versions()}


def test_needed_versions_stay_however_old_they_are() -> None:
    accuracies = {f"v{number}": 0.8 for number in range(9)} | {"v1": 0.9, "v2": 0.99}
    pointer = Pointer(version="v4", predecessor="v3")
    assert dispensable(accuracies, {"v0", "v1", "v3", "v4"}, pointer, keep=2) == {"v0", "v2", "v5", "v6"}


def test_before_the_first_activation_the_newest_stay() -> None:
    assert dispensable({"v1": 0.9, "v2": 0.8}, (), None, keep=1) == {"v1"}


def test_a_damaged_pointer_costs_no_version_that_it_named(registry: Registry, build: Build) -> None:
    for number in range(5):
        build(f"v{number}")
    registry.activate("v0", "first")
    registry.activate("v1", "second")
    (registry.models / "ACTIVE").write_text("{")
    assert prune(registry, keep=1) == ["v2", "v3"]


def test_a_version_without_a_readable_manifest_goes_like_any_other(registry: Registry, build: Build) -> None:
    for number in range(3):
        build(f"v{number}")
    (registry.folder("v0") / "manifest.json").write_text("{")
    assert prune(registry, keep=2) == ["v0"]


def test_what_is_just_being_written_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".building-now").mkdir()
    clear(tmp_path, datetime.now(UTC) + timedelta(minutes=1))
    assert (tmp_path / ".building-now").is_dir()
    clear(tmp_path, datetime.now(UTC) + timedelta(hours=2))
    assert not (tmp_path / ".building-now").exists()
