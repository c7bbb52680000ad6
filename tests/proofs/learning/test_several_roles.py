"""Where staff name two roles for a ticket, everything from the answer to the gate asks for both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlmodel import select

from agent.core import Parts
from agent.feedback.importing import Reviewed, take_in
from agent.fitting.evaluation import losses
from agent.learning.contest import contest
from agent.serving.registry import Registry
from agent.store.tables import Training
from agent.studies.judged import judge_all, report
from tests.desk import Desk
from tests.invented_desk import trainer_for
from tests.serving_app import running

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("trained")]

BOTH = ("Plumbing & HVAC", "Electrician")
ROOMS = [f"room {letter}" for letter in "ABCDEFGHIJKL"]
FLOODS = [(f"Water in the socket of {r}", "a pipe leaks onto the lamp and the socket, the fuse blew") for r in ROOMS]


async def test_two_roles_reach_the_gate_and_a_falsely_named_second_one_costs(learnt: Parts, desk: Desk) -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    floods = [Reviewed(f"F{n}", *text, BOTH, start + timedelta(hours=n)) for n, text in enumerate(FLOODS)]
    learnt.database.call(take_in, desk.source, floods, "tests", learnt.classifier.catalogue)
    async with running(learnt, desk) as server:
        event = desk.create("Leak over the fuse box", "water drips from the pipe into the fuse box")
        await server.deliver(event)
        await server.idle()
        await server.deliver(desk.reply(event.ticket_id, f"/role {', '.join(BOTH)}"))
        await server.idle()
    run = await trainer_for(learnt).train("tests")
    registry = Registry(learnt.directory.models, learnt.directory.encoders)
    classifier = learnt.classifier
    trial = contest(learnt.database, registry, classifier.rules, classifier.catalogue)
    model = trial.load(run.version or "")
    answers = trial.answers(model)
    assert model.fusion.multi_label
    assert model.cutoffs.multi_label
    assert f"{desk.source}:{event.ticket_id}" in model.honest

    gate = run.metrics["gate"]
    assert gate["log_loss"] == pytest.approx(losses(answers, trial.labels, multi_label=True).mean())
    assert gate["log_loss"] != pytest.approx(losses(answers, trial.labels).mean(), rel=0.01)

    judge = trial.judge(model)
    one_role = trial.labels.sum(axis=1) == 1
    right = np.where(trial.labels > 0, 0.97, 0.01)
    false = right.copy()
    false[one_role, (trial.labels[one_role].argmax(axis=1) + 1) % len(trial.roles)] = 0.97
    assert (judge.grade(false).loss[one_role] > judge.grade(right).loss[one_role] + 0.3).all()
    assert not judge.grade(false).right[one_role].any()
    assert losses(false, trial.labels)[one_role] == pytest.approx(losses(right, trial.labels)[one_role])  # the control

    registry.activate(model.version, "for the test")
    learnt.follow()
    judged = list(judge_all(classifier, [e for e in trial.examples if len(e.roles) == 2][:5]))
    assert all(j.multi_label for j in judged)
    assert {j.predicted for j in judged if j.right} <= {BOTH, BOTH[::-1]}
    assert report(judged).accuracy == pytest.approx(np.mean([j.right for j in judged]))


async def test_where_every_ticket_has_one_role_the_gate_asks_for_one(trained: Parts) -> None:
    """Control."""
    (run,) = trained.database.call(lambda session: session.exec(select(Training)).all())
    registry = Registry(trained.directory.models, trained.directory.encoders)
    trial = contest(trained.database, registry, trained.classifier.rules, trained.classifier.catalogue)
    model = trial.load(run.version or "")
    assert not model.fusion.multi_label
    assert run.metrics["gate"]["log_loss"] == pytest.approx(losses(trial.answers(model), trial.labels).mean())
