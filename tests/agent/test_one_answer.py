"""`/v1/predict` of the ticket agent's model, `rolecall predict` and the comment on a ticket give one answer."""

from __future__ import annotations

from datetime import date

import pytest

from agent.core import Parts
from agent.model_api.keys import issue
from tests.desk import Desk
from tests.serving_app import running

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("trained")]

TEXTS = ["VPN is down since the update", "The toilet on floor 3 leaks", "hello there", ""]


async def test_the_model_api_answers_as_tickets_are_answered(trained: Parts, desk: Desk) -> None:
    headers = {"X-API-Key": issue(trained.directory.api_key) or ""}
    expected = [trained.classifier.opinion(text, "", date.today()) for text in TEXTS]
    version = expected[0].model_version
    async with running(trained, desk) as server:
        ask = {"model_name": "rolecall", "texts": TEXTS, "all_scores": True}
        answer = (await server.client.post("/v1/predict", json=ask, headers=headers)).json()
        alone = (await server.client.post("/v1/predict", json=ask | {"version": version}, headers=headers)).json()
    assert answer == alone
    assert answer["model_version"] == version
    for told, opinion in zip(answer["predictions"], expected, strict=True):
        (role, confidence), *_ = opinion.ranked()
        assert (told["label"], told["suggestion"]) == (role, opinion.outcome)
        assert told["score"] == pytest.approx(confidence)
        assert told["scores"] == pytest.approx(dict(opinion.ranked()))
