"""Installations to save and to restore to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.agent.keeping.installed import Installed, install
from tests.agent.serving.conftest import builder


@pytest.fixture(scope="session")
def installed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an installation. For copies only."""
    folder = tmp_path_factory.mktemp("installed")
    return install(folder / "old", builder(folder), folder).folder


@pytest.fixture
def old(installed_once: Path, tmp_path: Path) -> Installed:
    shutil.copytree(installed_once, tmp_path / "old")
    return Installed(tmp_path / "old")


@pytest.fixture
def saved(old: Installed, tmp_path: Path) -> Path:
    """Return a backup of `old`."""
    old.save(tmp_path / "b.zip")
    return tmp_path / "b.zip"


@pytest.fixture
def new(tmp_path: Path) -> Installed:
    """Return a machine without an installation."""
    (tmp_path / "new/config").mkdir(parents=True)
    installed = Installed(tmp_path / "new")
    installed.directory.create()
    return installed
