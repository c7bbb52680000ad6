"""Models: versions, the way back, other names; and the ticket agent's own model, which is only to be looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr

from agent.core import Parts
from agent.data_directory import DataDirectory
from agent.model_api.web.assembly import model_api
from tests.agent.model_api.web.asking import KEY, body, trained, tree
from tests.agent.model_api.web.conftest import Put, Serve

pytestmark = pytest.mark.anyio


async def test_there_is_a_way_back_to_earlier_versions(serve: Serve, put: Put) -> None:
    first, second = put("v1"), put("v2")
    async with serve() as client:
        versions = (await client.get("/v1/models/intents/versions")).json()
        assert [(v["version"], v["active"]) for v in versions] == [(first, False), (second, True)]
        assert (await client.post("/v1/models/intents/rollback")).json()["version"] == first
        assert (await client.post("/v1/models/intents/rollback")).status_code == 409
        assert (await client.post(f"/v1/models/intents/versions/{second}/activate")).json()["version"] == second
        assert (await client.delete(f"/v1/models/intents/versions/{second}")).status_code == 409
        assert (await client.delete(f"/v1/models/intents/versions/{first}")).status_code == 204
        assert len((await client.get("/v1/models/intents/versions")).json()) == 1


async def test_an_alias_answers_for_its_model_until_it_is_moved(serve: Serve, put: Put) -> None:
    put("v1", "one")
    put("v1", "two")
    async with serve() as client:
        for name in ("one", "two"):
            assert (await client.put("/v1/aliases/live", json={"model_name": name})).json()["model_name"] == name
            assert (await client.get("/v1/models/live")).json()["model_name"] == name
        assert (await client.put("/v1/aliases/one", json={"model_name": "two"})).status_code == 409
        assert (await client.put("/v1/aliases/lost", json={"model_name": "nobody"})).status_code == 404
        assert (await client.post("/v1/train", json=body("live"))).status_code == 409
        assert (await client.delete("/v1/models/two")).status_code == 204
        assert (await client.get("/v1/aliases")).json() == []
        assert [model["model_name"] for model in (await client.get("/v1/models")).json()] == ["one"]


async def test_a_model_goes_before_an_alias_that_was_set_while_it_trained(serve: Serve, put: Put) -> None:
    put("v1", "one")
    async with serve() as client:
        assert (await client.put("/v1/aliases/live", json={"model_name": "one"})).status_code == 200
        put("v1", "live")  # what had been in training
        assert (await client.get("/v1/models/live")).json()["model_name"] == "live"
        assert (await client.delete("/v1/models/live")).status_code == 204
        assert (await client.get("/v1/models/live")).status_code == 404
        assert [model["model_name"] for model in (await client.get("/v1/models")).json()] == ["one"]


async def test_a_model_that_was_deleted_in_training_does_not_come_back(serve: Serve, put: Put) -> None:
    put("v1")
    async with serve() as client:
        begun = (await client.post("/v1/train", json=body())).json()
        assert (await client.delete("/v1/models/intents")).status_code == 204
        job = (await client.get(f"/v1/jobs/{begun['job_id']}")).json()
        assert job["status"] in ("failed", "cancelled")
        assert (await client.get("/v1/models/intents")).status_code == 404


async def test_quality_is_told_for_each_label_with_intervals(serve: Serve) -> None:
    async with serve() as client:
        first = (await trained(client, trainer="contrastive", num_iterations=2))["model_version"]
        model = (await client.get("/v1/models/intents")).json()
        assert model["accuracy_interval"]["low"] <= model["accuracy"] <= model["accuracy_interval"]["high"]
        assert {score["label"]: score["support"] for score in model["by_label"]} == {"electrical": 5, "hydraulics": 5}
        assert (model["judged_by"], model["version"]) == ("cross-fit", first)


async def test_the_ticket_agents_own_model_can_be_used_and_not_changed(
    api_parts: Callable[..., Parts], build: Callable[..., object], tmp_path: Path
) -> None:
    build("v1")
    (tmp_path / "models" / "ACTIVE").write_text('{"version": "v1"}')
    parts = api_parts()
    _, make = model_api(parts.settings.api, DataDirectory(tmp_path), parts.database, lambda: SecretStr(KEY), 10)
    transport, headers = httpx.ASGITransport(make()), {"X-API-Key": KEY}
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
        (model,) = (await client.get("/v1/models")).json()
        assert (model["model_name"], model["protected"], model["num_examples"]) == ("rolecall", True, 2)
        answer = await client.post("/v1/predict", json={"model_name": "rolecall", "texts": ["the door"]})
        assert answer.json()["predictions"][0]["label"] == "Locksmith"
        await client.put("/v1/aliases/mine", json={"model_name": "rolecall"})
        refused = [
            await client.post("/v1/train", json=body("rolecall")),
            await client.delete("/v1/models/rolecall"),
            await client.delete("/v1/models/rolecall/versions/v1"),
            await client.post("/v1/models/rolecall/rollback"),
            await client.post("/v1/models/mine/rollback"),
            await client.post("/v1/models/rolecall/versions/v1/activate"),
        ]
        assert [response.status_code for response in refused] == [403] * 6
        assert (await client.put("/v1/aliases/rolecall", json={"model_name": "mine"})).status_code == 409


@pytest.mark.parametrize("name", ["../models", "..", "a/b", "%2e%2e%2fmodels", ".hidden", "x" * 65, "nul\0", "a b"])
async def test_names_that_are_no_names_lead_nowhere(serve: Serve, name: str, tmp_path: Path) -> None:
    async with serve() as client:
        before = tree(tmp_path)
        answers = [
            await client.post("/v1/train", json=body(name)),
            await client.post("/v1/predict", json={"model_name": name, "texts": ["x"]}),
            await client.post("/v1/embeddings", json={"model_name": name, "texts": ["x"]}),
        ]
        if "\0" not in name:
            answers += [await client.request(verb, f"/v1/models/{quote(name, safe='')}") for verb in ("GET", "DELETE")]
        assert {response.status_code for response in answers} <= {404, 405, 422}
        assert tree(tmp_path) == before


async def test_an_unknown_model_is_not_looked_for_elsewhere(serve: Serve) -> None:
    async with serve() as client:
        for path in ("/v1/predict", "/v1/embeddings"):
            answer = await client.post(path, json={"model_name": "bert-base-uncased", "texts": ["x"]})
            assert (answer.status_code, answer.json()["detail"]) == (404, "bert-base-uncased: there is no such model")


async def test_a_damaged_model_is_named_and_not_used(serve: Serve, put: Put, tmp_path: Path) -> None:
    version = put("v1")
    (tmp_path / "named" / "intents" / version / "head.safetensors").write_bytes(b"poison")
    (tmp_path / "named" / "intents" / version / "model_head.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    async with serve() as client:
        answer = await client.post("/v1/predict", json={"model_name": "intents", "texts": ["x"]})
        assert answer.status_code == 503
        assert version in answer.json()["detail"]


async def test_a_manifest_that_changes_is_read_again(serve: Serve, put: Put, tmp_path: Path) -> None:
    manifest = tmp_path / "named" / "intents" / put("v1") / "manifest.json"
    whole, asked = manifest.read_bytes(), {"model_name": "intents", "texts": ["x"]}
    async with serve() as client:
        statuses = []
        for content in (whole, b"{", whole):
            manifest.write_bytes(content)
            statuses.append((await client.post("/v1/predict", json=asked)).status_code)
        assert statuses == [200, 503, 200]
