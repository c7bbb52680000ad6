"""An installation that has learnt from the invented desk's reviewed tickets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.config.settings import LearningSettings
from agent.core import Parts
from agent.feedback.importing import take_in
from tests.invented_desk import history

SOURCE = "desk"


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one folder of exported base encoders for all tests: the export takes seconds."""
    return tmp_path_factory.mktemp("encoders")


@pytest.fixture
def learnt(parts_for: Callable[..., Parts], encoders: Path) -> Parts:
    """Assemble an installation with sixty-odd reviewed tickets, and the quick trainer."""
    parts = parts_for(
        learning=LearningSettings(trainer="frozen", threads=1),
        triage={"silent_below": 0.1},
        work={"settle_seconds": 0.2},
    )
    parts.directory.encoders.symlink_to(encoders)
    parts.database.call(take_in, SOURCE, history(), "tests")
    return parts
