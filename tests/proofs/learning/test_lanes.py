"""A slow training beside the server: what is quick serves before it ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agent.core import Parts
from agent.fitting.job import Progress
from agent.learning.train import SERVES
from tests.agent.learning.test_train import runs
from tests.invented_desk import trainer_for
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
