"""What the workers of a run share: exports of encoders take seconds of each worker that makes its own."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.fitting import child
from agent.fitting.job import PACKAGED, Job, Recipe


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first worker fills and the others wait for. To read and to copy only."""
    base = factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = run / name
    with (run / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            unfinished = run / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder


def exported_encoders(factory: pytest.TempPathFactory, base_model: str = PACKAGED, name: str = "encoders") -> Path:
    """Return a folder of base encoders that holds this one, exported in a process of its own as for a training."""

    def export(folder: Path) -> None:
        job = Job((), (), Recipe(base_model=base_model), folder)
        asyncio.run(child.run(job, folder)).discard()

    return made_once(factory, name, export)


def read_tests_from_another_place_on(config: pytest.Config) -> None:
    """Import the files of tests, each worker beginning elsewhere, before pytest goes through them in one order.

    pytest keeps a file whose asserts it has rewritten. On a fresh clone, workers side by side would rewrite each of 400
    files at the same moment; so each finds most of them rewritten. What a file raises, pytest finds and tells again.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return
    root, left_out = config.rootpath, [Path(ignored).resolve() for ignored in config.getoption("ignore") or ()]
    places = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    found = {file for place in places for file in (place.rglob("test_*.py") if place.is_dir() else [place])}
    files = sorted(file for file in found if not set(left_out) & {file, *file.parents})
    first = len(files) * int(worker.removeprefix("gw")) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    for file in files[first:] + files[:first]:
        with contextlib.suppress(Exception, pytest.skip.Exception), warnings.catch_warnings(action="error"):
            importlib.import_module(".".join(file.relative_to(root).with_suffix("").parts))


class Late:
    """A module that is imported when something of it is used: every worker reads all files, and one runs the tests."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # pytest asks everything in a file whether it is a test
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self._name), attribute)
