"""Whatever strangers send, nothing breaks: no answer above 499, no exception outside the documented errors.

The whole campaign, also guided by coverage, is `make bench NAME=fuzz`, and tests/proofs/fuzz.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.properties import check_properties
from tests.fuzz.targets import CONTROLS, TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_properties_hold_for_a_hundred_inputs(name: str, tmp_path: Path) -> None:
    assert check_properties(TARGETS[name](tmp_path), 100) >= 100


def test_what_the_standard_library_does_unannounced_is_found(tmp_path: Path) -> None:
    """The control: a broken parser is found, with the input that breaks it."""
    with pytest.raises((TypeError, RecursionError)):
        check_properties(CONTROLS["raw_standard_library"](tmp_path), 2_000)
