"""A server that is given a new model every night keeps none of the old ones in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.bench.swaps import figures, measure

SWAPS = 40
MOST_GROWTH_MB = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("swaps")


def test_memory_stays_where_it_was_over_swaps(folder: Path) -> None:
    held = figures(measure(folder, SWAPS))
    print(held)
    assert held["rss_growth_mb"] <= MOST_GROWTH_MB


def test_without_giving_memory_back_a_server_keeps_models_past(folder: Path) -> None:
    """The control."""
    given_back, kept = figures(measure(folder, SWAPS)), figures(measure(folder, SWAPS, keep=True))
    print(given_back, kept)
    assert kept["rss_mb"] > given_back["rss_mb"] + MOST_GROWTH_MB
