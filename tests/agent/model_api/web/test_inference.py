"""Predictions and embeddings: one for each text, in order, always with a probability."""

from __future__ import annotations

import math

import pytest

from tests.agent.model_api.web.conftest import Put, Serve

pytestmark = pytest.mark.anyio

TEXTS = ["oil", "", "wire " * 500, "\U0001f6e0 door", "\x00\x1b[31m\u202e\uffff"]


async def test_every_text_gets_a_label_with_a_probability(serve: Serve, put: Put) -> None:
    put("v1")
    async with serve() as client:
        asked = {"model_name": "intents", "texts": TEXTS, "all_scores": True}
        predictions = (await client.post("/v1/predict", json=asked)).json()["predictions"]
        assert [p["text"] for p in predictions] == TEXTS
        for p in predictions:
            assert p["score"] == max(p["scores"].values())
            assert math.isclose(sum(p["scores"].values()), 1, abs_tol=1e-5)
            assert p["scores"][p["label"]] == p["score"]
            assert p["labels"] is None
        assert [predictions[row]["label"] for row in (0, 2, 3)] == ["Hydraulics", "Electrical", "Locksmith"]


async def test_several_labels_can_be_right_at_once(serve: Serve, put: Put) -> None:
    put("v1", multi_label=True)
    async with serve() as client:
        answer = await client.post("/v1/predict", json={"model_name": "intents", "texts": ["oil wire"]})
        (prediction,) = answer.json()["predictions"]
        assert {"Hydraulics", "Electrical"} <= set(prediction["labels"])
        assert prediction["label"] in prediction["labels"]


async def test_a_version_can_be_asked_for(serve: Serve, put: Put) -> None:
    put("v1")
    put("v2")
    async with serve() as client:
        for version, status in (("v1", 200), ("v2", 200), ("v3", 404), ("../v1", 422)):
            asked = {"model_name": "intents", "texts": ["oil"], "version": version}
            answer = await client.post("/v1/predict", json=asked)
            assert answer.status_code == status
            assert answer.json().get("model_version") in (None, version)


async def test_embeddings_have_length_one_also_when_they_are_shortened(serve: Serve, put: Put) -> None:
    put("v1")
    async with serve() as client:
        for dimensions, size in ((None, 3), (3, 3), (2, 2)):
            asked = {"model_name": "intents", "texts": TEXTS, "dimensions": dimensions}
            embeddings = (await client.post("/v1/embeddings", json=asked)).json()["embeddings"]
            assert [len(row) for row in embeddings] == [size] * len(TEXTS)
            assert all(math.isclose(math.hypot(*row), 1, abs_tol=1e-4) for row in embeddings)
        too_many = {"model_name": "intents", "texts": ["x"], "dimensions": 4}
        assert (await client.post("/v1/embeddings", json=too_many)).status_code == 422


async def test_no_texts_give_no_answers(serve: Serve, put: Put) -> None:
    put("v1")
    async with serve() as client:
        asked = {"model_name": "intents", "texts": []}
        assert (await client.post("/v1/predict", json=asked)).json()["predictions"] == []
        assert (await client.post("/v1/embeddings", json=asked)).json()["embeddings"] == []
