"""A slow training beside the server: what is quick serves before it ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agent.core import Parts
from agent.fitting.job import Progress
from agent.learning.train import SERVES
from agent.serving.registry import Registry
from tests.agent.learning.test_train import runs
from tests.invented_desk import history, trainer_for
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio


async def test_where_nothing_serves_the_quick_lane_serves_while_the_slow_one_runs(learnt: Parts) -> None:
    trainer = trainer_for(learnt)
    slow = replace(trainer, settings=trainer.settings.model_copy(update={"trainer": "contrastive"}))
    phases: list[str] = []
    tuning = asyncio.Event()

    def hear(step: Progress) -> None:
        phases.append(step.phase)
        if step.phase == "tune":
            tuning.set()

    night = asyncio.create_task(slow.train("tests", hear))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await tuning.wait()
    learnt.follow()
    night.cancel()
    with pytest.raises(asyncio.CancelledError):
        await night
    assert phases.index(SERVES) < phases.index("tune")
    assert learnt.active.current is not None
    assert learnt.active.current.manifest.trainer == "frozen"
    assert [r.outcome for r in runs(learnt)] == ["failed"]


async def test_heads_may_learn_from_more_than_the_encoder_is_tuned_on(learnt: Parts) -> None:
    """With "auto" both are tried on the frozen encoder, and the version says which tickets tuned nothing."""
    trainer = trainer_for(learnt)
    given = {"trainer": "frozen", "window": 50, "head_window": "auto"}
    phases: list[str] = []
    run = await replace(trainer, settings=trainer.settings.model_copy(update=given)).train(
        "tests", lambda step: phases.append(step.phase)
    )
    assert phases.count("read") == 2
    versions = Registry(learnt.directory.models, learnt.directory.encoders).versions()
    sizes = [{name: len(keys) for name, keys in version.tickets.items()} for version in versions]
    assert [sum(size.values()) for size in sizes] == [len(history())] * len(sizes)
    assert "older" not in sizes[0]
    assert run.outcome == "promoted"
