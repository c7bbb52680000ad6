"""A training is repeatable."""

from __future__ import annotations

import pytest

from agent.core import Parts
from agent.serving.registry import Registry
from tests.invented_desk import trainer_for

pytestmark = pytest.mark.anyio


async def test_the_same_tickets_and_seed_give_the_same_weights(trained: Parts) -> None:
    run = await trainer_for(trained).train("tests")
    first, second = Registry(trained.directory.models, trained.directory.encoders).versions()
    assert first.version != second.version == run.version
    assert first.files["head.safetensors"] == second.files["head.safetensors"]
