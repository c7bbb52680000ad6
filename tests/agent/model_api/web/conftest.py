"""The model API of a fresh installation, in the test's own event loop, with a base model small enough to train."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.core import Parts
from agent.serving.registry import Registry
from tests.agent.fitting.conftest import tiny_base
from tests.agent.model_api.web.asking import KEY
from tests.agent.serving.conftest import Build, build
from tests.desk import Desk
from tests.serving_app import running
from tests.shared import exported_encoders

__all__ = ["build", "tiny_base"]

Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
Put = Callable[..., str]


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """Return a folder of base encoders with the exported tiny one, once for all tests."""
    made = exported_encoders(tmp_path_factory, str(tiny_base), "tiny-encoders")
    return shutil.copytree(made, tmp_path_factory.mktemp("encoders"), dirs_exist_ok=True)


@pytest.fixture
def api_parts(parts_for: Callable[..., Parts], tiny_base: Path, exported: Path, tmp_path: Path) -> Callable[..., Parts]:
    """Assemble an installation whose API allows the tiny base model; keywords are its settings."""

    def make(**changes: Any) -> Parts:
        encoders = tmp_path / "data" / "encoders"
        if not encoders.exists():
            encoders.parent.mkdir()
            encoders.symlink_to(exported)
        api = {"key": KEY, "base_models": (str(tiny_base),), "threads": 1, "models": tmp_path / "named"} | changes
        return parts_for(api=api, learning={"nightly_at": None})

    return make


@pytest.fixture
def put(build: Build, exported: Path, tmp_path: Path) -> Put:
    """Return what makes a version of a named model without training, lets it answer and returns its name."""

    def make(version: str, name: str = "intents", **changes: object) -> str:
        build(version, **changes)
        registry = Registry(tmp_path / "named" / name, exported)
        registry.models.mkdir(parents=True, exist_ok=True)
        shutil.copytree(tmp_path / "encoders", exported, dirs_exist_ok=True)
        (tmp_path / "models" / version).rename(registry.folder(version))
        registry.activate(version, "put there")
        return version

    return make


@pytest.fixture
def serve(api_parts: Callable[..., Parts], desk: Desk) -> Serve:
    """Return what starts a server and yields a client that has the key; keywords are settings of the API."""

    @asynccontextmanager
    async def start(**changes: Any) -> AsyncIterator[httpx.AsyncClient]:
        async with running(api_parts(**changes), desk) as server:
            server.client.headers["X-API-Key"] = KEY
            yield server.client

    return start
