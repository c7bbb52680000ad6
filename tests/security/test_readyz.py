"""`/readyz` answers everybody: it says what is wrong with the model, and never where on the disk that is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core import Parts
from agent.serving.artefact import HEAD, MANIFEST
from agent.serving.registry import POINTER, Registry
from tests.agent.serving.conftest import build as build
from tests.agent.serving.conftest import counting_encoder
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio


def no_pointer(models: Path) -> None:
    (models / POINTER).unlink()
    (models / POINTER).mkdir()


def no_json(models: Path) -> None:
    (models / POINTER).write_text(json.dumps({"version": str(models)}))


def no_model(models: Path) -> None:
    shutil.rmtree(models / "v1")


def a_folder_for_a_file(models: Path) -> None:
    (models / "v1" / HEAD).unlink()
    (models / "v1" / HEAD).mkdir()


def no_manifest(models: Path) -> None:
    (models / "v1" / MANIFEST).write_text(f'{{"version": "{models}"')


def another_head(models: Path) -> None:
    (models / "v1" / HEAD).write_bytes(bytes(str(models), "utf-8"))


DAMAGES = (no_pointer, no_json, no_model, a_folder_for_a_file, no_manifest, another_head)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_no_damage_to_a_model_shows_a_path(
    parts: Parts, desk: Desk, build: Callable[..., object], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    build()
    await told_without_path(parts, desk, tmp_path, damage)


async def test_a_graph_that_cannot_be_loaded_shows_no_path(
    parts: Parts, desk: Desk, build: Callable[..., object], tmp_path: Path
) -> None:
    """The library's own message begins with one."""
    (tmp_path / "encoders" / counting_encoder(tmp_path / "encoders") / "body.onnx").write_bytes(b"no graph")
    build()
    told = await told_without_path(parts, desk, tmp_path, lambda models: None)
    assert "body.onnx" in told


async def told_without_path(parts: Parts, desk: Desk, made: Path, damage: Callable[[Path], None]) -> str:
    models = parts.directory.models
    shutil.copytree(made / "models", models)
    shutil.copytree(made / "encoders", parts.directory.encoders, dirs_exist_ok=True)
    Registry(models, parts.directory.encoders).activate("v1", "a test")
    damage(models)
    async with running(parts, desk) as server:
        parts.classifier.active.refresh()
        told: dict[str, str] = (await server.client.get("/readyz")).json()
    assert told["model_problem"]
    assert str(parts.directory.path) not in json.dumps(told)
    return told["model_problem"]
