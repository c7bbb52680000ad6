"""An installation that has learnt from the invented desk's reviewed tickets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.app import Parts
from agent.feedback.history import Reviewed, take_in
from agent.learning.train import Trainer
from agent.settings import LearningSettings
from tests.tickets.conversations import load_conversations

SOURCE = "desk"


def history() -> list[Reviewed]:
    """Return the invented tickets that one role handled, as reviewed history."""
    return [
        Reviewed(c.id, c.subject, c.body, c.true_roles, c.created_at)
        for c in load_conversations()
        if len(c.true_roles) == 1
    ]


def trainer_for(parts: Parts) -> Trainer:
    settings = parts.settings
    return Trainer(
        parts.database, parts.directory, parts.mind.catalogue, parts.mind.rules, settings.learning,
        settings.triage.precision_target,
    )  # fmt: skip


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
