"""The gate: no key, no entry; too large a body, no reading; a hostile body, a 4xx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr

from agent.core import Parts
from agent.model_api.keys import Keys, issue
from tests.agent.model_api.web.asking import body, tree
from tests.agent.model_api.web.conftest import Serve
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio


async def test_everything_but_health_and_documentation_needs_the_key(serve: Serve) -> None:
    async with serve() as client:
        for key in ("", "wrong", "a key of the tests "[:-2]):
            client.headers["X-API-Key"] = key
            for verb, path in (("GET", "/v1/models"), ("POST", "/v1/train"), ("POST", "/v1/predict"), ("GET", "/v1/x")):
                assert (await client.request(verb, path)).status_code == 401
        del client.headers["X-API-Key"]
        assert (await client.get("/v1/jobs")).status_code == 401
        assert (await client.get("/health")).json() == {"status": "ok"}
        assert (await client.get("/openapi.json")).status_code == 200


async def test_generated_clients_find_plain_names(serve: Serve) -> None:
    async with serve() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    models = (
        "list_models get_model delete_model list_versions get_version delete_version activate_version roll_back_model"
    )
    others = "list_aliases set_alias delete_alias train list_jobs get_job cancel_job predict embed health"
    names = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert sorted(names) == sorted(f"{models} {others}".split())


async def test_the_documentation_needs_nothing_from_elsewhere(serve: Serve) -> None:
    async with serve() as client:
        page = (await client.get("/docs")).text
        assert "http://" not in page
        assert "https://" not in page
        for asset in ("swagger-ui-bundle.js", "swagger-ui.css"):
            assert asset in page
            assert (await client.get(f"/static-offline-docs/{asset}")).status_code == 200


def test_a_key_is_made_once_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "key"
    keys = Keys(lambda: None, file)
    assert not keys.accept("")
    key = issue(file)
    assert key is not None
    assert issue(file) is None
    assert key not in file.read_text()
    assert keys.accept(key)
    assert not keys.accept(key[:-1])


def test_a_configured_key_takes_the_place_of_the_made_one(tmp_path: Path) -> None:
    made = issue(tmp_path / "key")
    configured = [SecretStr("first")]
    keys = Keys(lambda: configured[-1], tmp_path / "key")
    assert made is not None
    assert (keys.accept(made), keys.accept("first")) == (False, True)
    configured.append(SecretStr("second"))
    assert (keys.accept("first"), keys.accept("second")) == (False, True)


async def test_a_body_that_is_too_large_is_refused_unread(serve: Serve, tmp_path: Path) -> None:
    async with serve() as client:
        before = tree(tmp_path)
        sent = 0

        async def chunks() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(100):
                sent += 1 << 20
                yield b" " * (1 << 20)

        for path in ("/v1/train", "/v1/predict"):
            said = await client.post(path, content=b"", headers={"Content-Length": str(100 << 20)})
            unsaid = await client.post(path, content=chunks())
            assert (said.status_code, unsaid.status_code) == (413, 413)
            assert said.json()["detail"] == unsaid.json()["detail"]
        assert tree(tmp_path) == before


@pytest.mark.parametrize("length", ["1" + "0" * 5_000, "0" * 5_000 + "1" + "0" * 9, "-1", "²", "1e9"])
async def test_a_length_that_is_no_number_of_ours_is_a_refusal_with_a_key_and_without(
    serve: Serve, length: str
) -> None:
    async with serve() as client:
        headers = [(b"Content-Length", length.encode("latin-1"))]
        for path in ("/health", "/docs", "/v1/train", "/v1/models"):
            assert (await client.get(path, headers=headers)).status_code == 413, path
        del client.headers["X-API-Key"]
        assert (await client.get("/health", headers=headers)).status_code == 413
        assert (await client.get("/v1/models", headers=headers)).status_code == 401
        assert (await client.get("/health", headers={"Content-Length": "0" * 5_000})).status_code == 200


async def test_a_body_that_stops_coming_is_a_408(serve: Serve) -> None:
    stalled = anyio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"model_name"'
        await stalled.wait()

    async with serve(body_timeout_seconds=0.05) as client:
        for path in ("/v1/train", "/v1/predict"):
            answer = await client.post(path, content=chunks())
            assert (answer.status_code, answer.headers["connection"]) == (408, "close")
        assert (await client.post("/v1/predict", json={"model_name": "m", "texts": ["x"]})).status_code == 404


async def test_whether_it_lives_can_be_asked_with_head(serve: Serve) -> None:
    async with serve() as client:
        for path in ("/health", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"):
            answer = await client.head(path)
            assert (answer.status_code, answer.content) == (200, b""), path


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"model_name": "m", "texts": ["\\ud800"]}',
        b'{"model_name": "m", "texts": [NaN]}',
        b'{"model_name": "\\ud800", "texts": []}',
        b'{"model_name": ["m"], "texts": {"a": 1}}',
        b'{"model_name": "m", "texts": ' + b'["' + b"x" * 200_000 + b'"]}',
        b'{"model_name": "m", "texts": [1' + b"0" * 5_000 + b"]}",
        b"null",
    ],
)
async def test_hostile_bodies_are_refused_with_a_reason(serve: Serve, content: bytes) -> None:
    async with serve() as client:
        for path in ("/v1/predict", "/v1/train", "/v1/embeddings"):
            response = await client.post(path, content=content, headers={"Content-Type": "application/json"})
            assert response.status_code in (400, 422)
            assert response.json()["detail"]


async def test_without_any_key_nobody_is_let_in(api_parts: Callable[..., Parts], desk: Desk) -> None:
    async with running(api_parts(key=None), desk) as server:
        server.client.headers["X-API-Key"] = ""
        assert (await server.client.post("/v1/train", json=body())).status_code == 401
