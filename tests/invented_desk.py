"""What an installation of the invented desk learns from, and its trainer."""

from __future__ import annotations

from agent.core import Parts
from agent.feedback.importing import Reviewed
from agent.learning.train import Trainer
from tests.tickets.conversations import load_conversations


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
        parts.database, parts.directory, parts.classifier.catalogue, parts.classifier.rules, settings.learning,
        settings.triage.precision_target,
    )  # fmt: skip
