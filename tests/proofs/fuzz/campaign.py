"""A whole campaign: every target, by properties and by coverage, with counted inputs."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import properties
from tests.fuzz.targets import TARGETS
from tests.proofs.fuzz import guided


@dataclass(frozen=True)
class Line:
    """What came of one target; `coverage` counts the places in our code that the guided half reached."""

    target: str
    by_properties: int
    by_coverage: int
    coverage: int
    corpus: int

    @property
    def inputs(self) -> int:
        return self.by_properties + self.by_coverage


class Broken(AssertionError):
    """An input breaks a promise."""


def campaign(examples: int, runs: int, names: Iterable[str] = TARGETS) -> Iterator[Line]:
    """Yield a line for each target. Raises what the target raises, or Broken with the input that breaks it."""
    for name in names:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            found = guided.explore(name, folder, runs)
            if found.crash is not None:
                raise Broken(f"{name}: {found.crash!r}\n{found.report[-4_000:]}")
            (folder / "properties").mkdir()
            with quiet():
                tried = properties.check_properties(TARGETS[name](folder / "properties"), examples)
        yield Line(name, tried, found.inputs, found.coverage, found.corpus)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop what is logged: a line for each delivery."""
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield
