"""An installation that has learnt from the invented desk's reviewed tickets."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.config.settings import LearningSettings, Settings
from agent.core import Parts, assemble
from agent.feedback.importing import take_in
from agent.serving.artefact import BODY, TOKENIZER
from agent.serving.model import Encoder
from tests.conftest import TICKETS
from tests.invented_desk import history, trainer_for
from tests.shared import exported_encoders

SOURCE = "desk"
LARGE = 16 * 2**20


@pytest.fixture(scope="session", autouse=True)
def large_encoders_are_loaded_once() -> Iterator[None]:
    """Share what several installations load of the same file: it is only read, and each time takes half a second."""
    load, loaded = Encoder.load, dict[object, Encoder]()

    def shared(folder: Path, *, threads: int = 1, body: Path | None = None, lasting: bool = False) -> Encoder:
        files = [(body or folder / BODY).resolve(), (folder / TOKENIZER).resolve()]
        if not all(file.is_file() for file in files) or files[0].stat().st_size < LARGE:
            return load(folder, threads=threads, body=body, lasting=lasting)
        key = threads, *((file, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
        if key not in loaded:
            loaded[key] = load(folder, threads=threads, body=body, lasting=lasting)
        return loaded[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Encoder, "load", shared)
        yield


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one folder of exported base encoders for all tests: the export takes seconds."""
    folder = tmp_path_factory.mktemp("encoders")
    for made in exported_encoders(tmp_path_factory).iterdir():
        (folder / made.name).symlink_to(made)
    return folder


def quick() -> dict[str, Any]:
    """Return the settings of an installation that trains quickly and settles at once."""
    learning = LearningSettings(trainer="frozen", threads=1)
    return {"learning": learning, "triage": {"silent_below": 0.1}, "work": {"settle_seconds": 0.2}}


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory, encoders: Path) -> Path:
    """Return a data directory with the reviewed tickets of `learnt` and a model trained on them. For copies only."""
    data = tmp_path_factory.mktemp("trained") / "data"
    parts = assemble(Settings(data=data, rules=TICKETS / "rules.toml", roles=TICKETS / "roles.toml", **quick()))
    parts.directory.encoders.symlink_to(encoders)
    parts.database.call(take_in, SOURCE, history(), "tests", parts.classifier.catalogue)
    asyncio.run(trainer_for(parts).train("tests"))
    parts.follow()  # embeds the tickets to find similar ones, and keeps that
    parts.database.close()
    return data


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path, parts_for: Callable[..., Parts]) -> Parts:
    """Assemble an installation as `learnt` is after its first training.

    A training takes seconds: tests that ask for this one bear the group "trained", so that one worker trains once.
    """
    shutil.copytree(trained_once, tmp_path / "data", symlinks=True)
    return parts_for(**quick())


@pytest.fixture
def learnt(parts_for: Callable[..., Parts], encoders: Path) -> Parts:
    """Assemble an installation with sixty-odd reviewed tickets, and the quick trainer."""
    parts = parts_for(**quick())
    parts.directory.encoders.symlink_to(encoders)
    parts.database.call(take_in, SOURCE, history(), "tests", parts.classifier.catalogue)
    return parts
