"""A hundred thousand inputs, by properties and by coverage, break nothing. tests/fuzz has a hundred for each target."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.targets import TARGETS
from tests.proofs.bench import fuzz
from tests.proofs.fuzz.guided import explore

LEAST_INPUTS = 100_000


def test_coverage_finds_what_lies_behind_three_conditions(tmp_path: Path) -> None:
    found = explore("careless_parser", tmp_path, 200_000)
    assert found.crash is not None
    assert found.crash.startswith(b"p")


def test_coverage_finds_what_the_standard_library_does_unannounced(tmp_path: Path) -> None:
    """The control: a broken parser is found, with the input that breaks it."""
    assert explore("raw_standard_library", tmp_path, 5_000).crash is not None


def test_a_hundred_thousand_inputs_break_nothing() -> None:
    lines = fuzz.run(fuzz.EXAMPLES, fuzz.RUNS)
    assert {line.target for line in lines} == set(TARGETS)
    assert sum(line.inputs for line in lines) >= LEAST_INPUTS
    assert all(line.coverage > 0 for line in lines)
