"""Whatever strangers send, nothing breaks: no answer above 499, no exception outside the documented errors.

The whole campaign is `make bench NAME=fuzz`, and part of `make test-all`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import fuzz
from tests.fuzz.campaign import campaign
from tests.fuzz.guided import explore
from tests.fuzz.properties import check_properties
from tests.fuzz.targets import CONTROLS, TARGETS

LEAST_INPUTS = 100_000


@pytest.mark.parametrize("name", TARGETS)
def test_properties_hold_for_a_hundred_inputs(name: str, tmp_path: Path) -> None:
    assert check_properties(TARGETS[name](tmp_path), 100) >= 100


@pytest.mark.parametrize("name", ["helpdesk_delivery"])
def test_coverage_guides_the_way_into_a_parser(name: str) -> None:
    (line,) = campaign(examples=10, runs=500, names=[name])
    assert line.by_coverage >= 500
    assert line.coverage > 20


def test_both_ways_find_what_the_standard_library_does_unannounced(tmp_path: Path) -> None:
    """The control: a broken parser is found, with the input that breaks it."""
    with pytest.raises((TypeError, RecursionError)):
        check_properties(CONTROLS["raw_standard_library"](tmp_path), 2_000)
    assert explore("raw_standard_library", tmp_path, 5_000).crash is not None


@pytest.mark.slow
def test_coverage_finds_what_lies_behind_three_conditions(tmp_path: Path) -> None:
    found = explore("careless_parser", tmp_path, 200_000)
    assert found.crash is not None
    assert found.crash.startswith(b"p")


@pytest.mark.slow
def test_a_hundred_thousand_inputs_break_nothing() -> None:
    lines = fuzz.run(fuzz.EXAMPLES, fuzz.RUNS)
    assert {line.target for line in lines} == set(TARGETS)
    assert sum(line.inputs for line in lines) >= LEAST_INPUTS
    assert all(line.coverage > 0 for line in lines)
