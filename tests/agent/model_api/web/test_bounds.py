"""What one request may cost: its body, what it asks for, its refusal; and what all of them hold at once."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.exceptions import RequestValidationError
from starlette.types import Message, Receive, Scope, Send

from agent.model_api import bounds
from agent.model_api.training_request import TrainingRequest, faults, request_of
from agent.model_api.web import access
from agent.model_api.web.access import NotTaken, Turns
from agent.model_api.web.answers import PIECE_BYTES, Embeddings, Predictions, encoded
from agent.model_api.web.bodies import decode
from agent.model_api.web.inference import PredictRequest, bounded
from tests.agent.model_api.web.asking import EXAMPLES, body
from tests.agent.model_api.web.conftest import Put, Serve

pytestmark = pytest.mark.anyio

README = Path(bounds.__file__).with_name("README.md").read_text("utf-8")
LARGEST_REFUSAL = 65_536


def test_every_limit_is_documented_with_its_value() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) ", README, re.MULTILINE)
    written = {name: float(value.replace(",", "")) for name, value in rows}
    written["TURN_SECONDS"] = float(re.findall(r"`TURN_SECONDS` \((\d+)\)", README)[0])
    assert written == {name: value for name, value in vars(bounds).items() if name.isupper()}


HEAD = b'{"model_name": "m", '


@pytest.mark.parametrize(
    "content",
    [
        HEAD + b'"examples": [' + b"1," * 2_000_000 + b"1]}",
        HEAD + b'"examples": [' + b'{"text": "a"},' * 300_000 + b"{}]}",
        HEAD + b'"examples": [{"text": "a", "labels": [' + b'"a",' * 1_000_000 + b'"a"]}]}',
        HEAD + b'"texts": [' + b'"a",' * 1_000_000 + b'"a"]}',
        HEAD + b'"texts": [' + b"[]," * 1_000_000 + b"[]]}",
        HEAD + b'"texts": ["a"], "version": "' + b"x" * 4_000_000 + b'"}',
        HEAD + b'"examples": [], "trainer": "' + b"x" * 4_000_000 + b'"}',
        b'{"model_name": "' + b"x" * 4_000_000 + b'"}',
        b'{"' + b"x" * 4_000_000 + b'": ' + b"[" * 1_000_000,
        b'{"model_name": "m\\n", "texts": []}',
    ],
)
async def test_a_refusal_is_short_and_names_the_first_fault(serve: Serve, content: bytes) -> None:
    async with serve() as client:
        for path in ("/v1/train", "/v1/predict", "/v1/embeddings"):
            answer = await client.post(path, content=content)
            assert answer.status_code == 422, answer.text
            assert len(answer.content) < LARGEST_REFUSAL
            (fault,) = answer.json()["detail"]
            assert fault["msg"]
            assert "xxx" not in fault["msg"]


SENTENCES = [
    ({}, ["model_name"], "`model_name` is missing"),
    ({"model_name": "m", "examples": [1, 2]}, ["examples", 0], "an object is expected, not a whole number"),
    ({"model_name": "m", "examples": EXAMPLES[:1]}, ["examples"], "at least 2 entries are expected"),
    ({"model_name": "m", "examples": [{"text": ""}]}, ["examples", 0, "text"], "at least 1 character is expected"),
    (body(seed=-1), ["seed"], "at least 0 is needed"),
    (body(learning_rate=0.5), ["learning_rate"], "at most 0.01 is possible"),
    (body(trainer="other"), ["trainer"], "one of contrastive, setfit, frozen is expected"),
    (body(trainer=None), ["trainer"], "a text is expected, not null"),
    (body("not a name"), ["model_name"], "a name is expected: letters"),
]


@pytest.mark.parametrize(("wanted", "place", "sentence"), SENTENCES)
def test_a_fault_is_told_in_a_plain_sentence(wanted: dict[str, Any], place: list[object], sentence: str) -> None:
    with pytest.raises(RequestValidationError) as refused:
        decode(json.dumps(wanted).encode(), TrainingRequest)
    (fault,) = refused.value.errors()
    assert list(fault["loc"]) == ["body", *place]
    assert fault["msg"].startswith(sentence)


async def test_an_address_has_plain_sentences_too(serve: Serve) -> None:
    async with serve() as client:
        for query, sentence in (("limit=x", "a whole number is expected"), ("limit=0", "at least 1 is needed")):
            answer = await client.get(f"/v1/jobs?{query}")
            assert (answer.status_code, answer.json()["detail"][0]["msg"]) == (422, sentence)


def examples(count: int, labels: int) -> dict[str, Any]:
    return body(examples=[{"text": f"t{n}", "label": f"l{n % labels}"} for n in range(count)])


def test_a_training_is_bounded_by_its_labels_too() -> None:
    def said(count: int, labels: int) -> list[str]:
        request = decode(json.dumps(examples(count, labels)).encode(), TrainingRequest)
        return [sentence for _, sentence in faults(request)]

    assert said(2_000, 1_000) == []
    assert said(20_000, 150) == []
    assert said(1_001, 1_001) == ["there are 1001 labels; a model has at most 1000"]
    assert said(20_000, 200) == ["20000 examples of 200 labels are too many: send at most 15000, or fewer labels"]


def test_the_scores_of_all_labels_are_bounded() -> None:
    bounded(1_024, 200)
    with pytest.raises(RequestValidationError) as refused:
        bounded(1_024, 1_000)
    (fault,) = refused.value.errors()
    assert fault["msg"] == "the scores of 1000 labels can be asked for at most 250 texts at a time"


async def test_a_long_answer_is_what_a_short_one_is_in_pieces(serve: Serve, put: Put) -> None:
    labels = [f"label {n}" for n in range(1_000)]
    texts = ["text \u2028 é"] * 20
    scores = np.linspace(0, 1, 20_000, dtype=np.float32).reshape(20, 1_000)
    answer = Predictions(texts, "v", labels, scores, [None] * 20, multi_label=False, all_scores=True)
    pieces = list(encoded(answer))
    assert len(pieces) > 5
    assert max(map(len, pieces)) < 2 * PIECE_BYTES
    whole = json.loads(b"".join(pieces))
    assert [row["text"] for row in whole["predictions"]] == texts
    assert whole["predictions"][3]["scores"] == dict(zip(labels, scores[3].tolist(), strict=True))
    assert json.loads(b"".join(encoded(Embeddings(scores, "v")))) == {
        "embeddings": scores.tolist(),
        "model_version": "v",
    }
    put("v1")
    async with serve() as client:
        asked = {"model_name": "intents", "texts": ["oil " * 1_000] * 100}
        answered = await client.post("/v1/predict", json=asked)
        assert "content-length" not in answered.headers
        assert [row["text"] for row in answered.json()["predictions"]] == asked["texts"]


async def test_models_and_their_room_are_bounded(serve: Serve, put: Put, tmp_path: Path) -> None:
    put("v1", "first")
    put("v1", "second")
    async with serve(max_models=2) as client:
        refused = await client.post("/v1/train", json=body("third"))
        assert (refused.status_code, refused.json()["detail"]) == (
            409, "there are 2 models, as many as [api] max_models allows: delete one first",
        )  # fmt: skip
        again = await client.post("/v1/train", json=body("first"))
        assert again.status_code == 200
        await client.delete(f"/v1/jobs/{again.json()['job_id']}")
    (tmp_path / "named" / "first" / "large").write_bytes(b"x" * 1_100_000)
    async with serve(max_disk_mb=1) as client:
        refused = await client.post("/v1/train", json=body("first"))
        assert (refused.status_code, refused.json()["detail"]) == (
            409,
            "the models take 1 MB, more than [api] max_disk_mb allows (1): delete models or versions first",
        )


class Client:
    """A client of the turns: it is sent for when its body is asked for."""

    def __init__(self, size: int, path: str = "/v1/train") -> None:
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.size, self.path = size, path
        self.answered = False

    async def receive(self) -> Message:
        self.asked.set()
        await self.go_on.wait()
        return {"type": "http.request", "body": b"x" * self.size}

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert len((await receive())["body"]) == self.size
        self.answered = True

    async def ask(self, doorman: Turns) -> None:
        scope = {"method": "POST", "path": self.path, "headers": [(b"content-length", str(self.size).encode())]}
        await doorman.pass_on(self.app, scope, self.receive, None)  # type: ignore[arg-type]


async def test_larger_bodies_wait_unread_and_small_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    doorman = Turns(1_000_000, 60)
    first = [Client(100_000) for _ in range(bounds.LARGE_BODIES)]
    async with asyncio.TaskGroup() as group:
        for client in first:
            group.create_task(client.ask(doorman))
        for client in first:
            await client.asked.wait()
        late, small = Client(100_000), Client(10)
        group.create_task(late.ask(doorman))
        await asyncio.sleep(0)
        small.go_on.set()
        await small.ask(doorman)
        assert small.answered
        assert not late.asked.is_set()
        monkeypatch.setattr(access, "TURN_SECONDS", 0.01)
        with pytest.raises(NotTaken) as refused:
            await Client(100_000).ask(doorman)
        assert refused.value.status == 429
        for client in (*first, late):
            client.go_on.set()
    assert all(client.answered for client in (*first, late))


async def test_predictions_beyond_the_most_wait_for_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "TURN_SECONDS", 0.01)
    doorman, release = Turns(1_000_000, 60), asyncio.Event()

    async def slow(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await release.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(bounds.ANSWERS):
            client = Client(10, "/v1/predict")
            client.go_on.set()
            client.app = slow  # type: ignore[method-assign]
            group.create_task(client.ask(doorman))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        other, training = Client(10, "/v1/embeddings"), Client(10)
        for client in (other, training):
            client.go_on.set()
        await training.ask(doorman)
        with pytest.raises(NotTaken):
            await other.ask(doorman)
        release.set()
    await other.ask(doorman)
    assert (training.answered, other.answered) == (True, True)


def test_a_stored_request_is_read_as_it_was_sent() -> None:
    request = request_of(body())
    assert decode(request.encoded(), TrainingRequest) == request
    assert decode(b'{"model_name": "m", "texts": ["a"], "other": [[1]]}', PredictRequest).texts == ["a"]
