"""The encoder that compares tickets, for commands that need one before the first training."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.cli import layout

if TYPE_CHECKING:
    from agent.core import Parts


def encoder_of(parts: Parts) -> str:
    """Return the fingerprint of the encoder that answers are given with: the model's, else the base model's.

    Prepares it where that was never done. Raises NotPossibleYet and FitFailed.
    """
    from agent.fitting import base_encoder

    if parts.active.current is not None:
        return parts.active.current.manifest.encoder
    encoders, base_model = parts.directory.encoders, parts.settings.learning.base_model
    if known := base_encoder.ready(encoders, base_model):
        return known
    layout.aside().print("No model yet: preparing the encoder that compares tickets, once. About 10 seconds.")
    return asyncio.run(base_encoder.prepare(encoders, base_model))


def remember(parts: Parts) -> None:
    """Give the memory an encoder before the first training, where there are reviewed tickets to compare with."""
    from agent.packages import TRAINING, missing
    from agent.store import tickets

    memory = parts.classifier.memory
    if memory.lacks_encoder and parts.database.call(tickets.newest_review) and not missing(*TRAINING):
        memory.use(encoder_of(parts))
        memory.refresh()
