"""Whatever strangers send, nothing breaks: no answer above 499, no exception outside the documented errors.

The whole campaign is `make bench NAME=fuzz`, and tests/proofs/fuzz.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.properties import check_properties
from tests.fuzz.targets import CONTROLS, TARGETS
from tests.proofs.fuzz.campaign import campaign
from tests.proofs.fuzz.guided import explore


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
