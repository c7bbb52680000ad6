"""Training turns reviewed tickets into a version that serves, or says in the ledger why it did not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlmodel import select

from agent.core import Parts
from agent.errors import NotPossibleYet
from agent.fitting.child import FitFailed
from agent.learning.candidates import lanes
from agent.store.tables import Training
from tests.desk import Desk
from tests.invented_desk import history, trainer_for
from tests.patience import PATIENCE_SECONDS
from tests.serving_app import running

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("trained")]


def runs(parts: Parts) -> list[Training]:
    return list(parts.database.call(lambda session: session.exec(select(Training)).all()))


def remembers(parts: Parts) -> bool:
    return parts.classifier.memory.current is not None


async def test_a_model_serves_after_training_and_knows_its_tickets(trained: Parts) -> None:
    model = trained.active.current
    assert model is not None
    assert [(r.outcome, r.version) for r in runs(trained)] == [("promoted", model.version)]
    parts = model.manifest.tickets
    assert {key for keys in parts.values() for key in keys} == {f"desk:{row.id}" for row in history()}
    assert len(parts["train"]) > len(parts["validation"]) > 0


async def test_the_model_says_which_voices_it_has_and_hears_the_lexical_head(trained: Parts) -> None:
    model = trained.active.current
    assert model is not None
    assert model.manifest.voices == ("rules", "memory", "embedding head", "lexical head")
    assert model.heads(["vpn"]).lexical is not None
    assert 0.0 < model.fusion.weights.lexical <= 1.0


async def test_a_ticket_that_the_model_learnt_is_judged_as_if_it_had_not(trained: Parts) -> None:
    model = trained.active.current
    assert model is not None
    row = history()[0]
    judged, asked = (
        trained.classifier.opinion(row.subject, row.body, row.filed_at.date(), hidden=key)
        for key in (f"desk:{row.id}", None)
    )
    honest = model.honest[f"desk:{row.id}"]
    assert dict(judged.ranked()) == pytest.approx(dict(zip(model.roles, honest, strict=True)))
    assert dict(asked.ranked())[row.roles[0]] > dict(judged.ranked())[row.roles[0]]


def test_the_cheap_lane_comes_first() -> None:
    assert lanes("contrastive") == ("frozen", "contrastive")
    assert lanes("setfit") == ("frozen", "setfit")
    assert lanes("frozen") == ("frozen",)


async def test_too_little_history_is_told_and_is_in_the_ledger(parts_for: Callable[..., Parts]) -> None:
    parts = parts_for()
    with pytest.raises(NotPossibleYet, match="too few to learn from"):
        await trainer_for(parts).train("tests")
    assert [(r.outcome, r.finished_at is not None) for r in runs(parts)] == [("failed", True)]


async def test_an_interrupted_training_leaves_the_model_that_serves_and_nothing_half_written(trained: Parts) -> None:
    before = trained.active.current
    assert before is not None
    begun = asyncio.Event()
    second = asyncio.create_task(trainer_for(trained).train("tests", lambda step: begun.set()))
    await begun.wait()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    trained.follow()
    assert trained.active.current is before
    assert [r.outcome for r in runs(trained)] == ["promoted", "failed"]
    assert list((trained.directory.path / "training").iterdir()) == []


async def test_a_training_that_takes_too_long_is_stopped(parts_for: Callable[..., Parts], learnt: Parts) -> None:
    settings = learnt.settings.learning.model_copy(update={"timeout_seconds": 0.05})
    trainer = trainer_for(learnt)
    with pytest.raises(FitFailed, match="longer than"):
        await type(trainer)(trainer.database, trainer.directory, trainer.catalogue, trainer.rules, settings, 0.9).train(
            "tests"
        )
    assert runs(learnt)[0].outcome == "failed"


async def test_a_running_server_takes_up_the_new_model(learnt: Parts, desk: Desk) -> None:
    async with running(learnt, desk) as server:
        assert (await server.client.get("/readyz")).json()["model"] == "none yet: rules and similar tickets decide"
        run = await trainer_for(learnt).train("tests")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await server.client.get("/readyz")).json()["model"] != run.version or not remembers(learnt):
                await asyncio.sleep(0.05)
        await server.deliver(desk.create("VPN drops", "the vpn drops every ten minutes since monday"))
        await server.idle()
    (comment,) = desk.comments("1")
    assert "; like " in comment.text
