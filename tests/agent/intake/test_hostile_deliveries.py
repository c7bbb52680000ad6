"""Whatever is sent to the webhook address is answered with a 4xx and a one-line reason, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from agent.core import Parts
from agent.store import status
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

HOSTILE = {
    "invalid JSON": b"{",
    "wrong types": b'{"ticket": [1, {"id": "x"}]}',
    "deep nesting": b"[" * 100_000,
    "binary": bytes(range(256)) * 100,
    "empty": b"",
    "NaN": b"[NaN]",
    "lone surrogate": b'["\\ud800"]',
}


async def dribble() -> AsyncIterator[bytes]:
    yield b"["
    await asyncio.Event().wait()  # for ever


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_body_that_makes_no_sense_is_a_400(parts: Parts, desk: Desk, body: bytes) -> None:
    async with running(parts, desk) as server:
        answer = await server.client.post(f"/hooks/desk/{desk.secret}", content=body)
        numbers = (await server.client.get("/metrics")).text
    assert answer.status_code == 400
    assert answer.text.count("\n") == 1
    assert parts.database.call(status.counts) == {}
    assert 'rolecall_deliveries_total{source="desk",status="400"} 1.0' in numbers


@pytest.mark.parametrize("path", ["/hooks/desk/wrong", "/hooks/desk", "/hooks/nobody", "/hooks/nobody/open%20sesame"])
async def test_a_wrong_secret_and_an_unknown_source_get_the_same_401(parts: Parts, desk: Desk, path: str) -> None:
    async with running(parts, desk) as server:
        answer = await server.client.post(path, content=b"[]")
    assert (answer.status_code, answer.text) == (401, "not authentic\n")


@pytest.mark.parametrize("announced", [True, False])
async def test_a_large_body_is_a_413_announced_or_not(parts: Parts, desk: Desk, announced: bool) -> None:
    body = b"x" * 20_000_000

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    async with running(parts, desk) as server:
        answer = await server.client.post(f"/hooks/desk/{desk.secret}", content=body if announced else pieces())
    assert (answer.status_code, answer.text) == (413, "larger than 1048576 bytes\n")


@pytest.mark.parametrize("length", ["1" + "0" * 5_000, "0" * 5_000 + "1" + "0" * 9, "²"])
async def test_a_length_of_more_digits_than_are_converted_is_a_413(parts: Parts, desk: Desk, length: str) -> None:
    async with running(parts, desk) as server:
        headers = [(b"Content-Length", length.encode("latin-1"))]
        answer = await server.client.post(f"/hooks/desk/{desk.secret}", headers=headers)
    assert answer.status_code == 413


async def test_a_body_that_dribbles_in_is_a_408(parts_for, desk: Desk) -> None:
    parts = parts_for(intake={"body_timeout_seconds": 0.1})
    async with running(parts, desk) as server:
        answer = await server.client.post(f"/hooks/desk/{desk.secret}", content=dribble())
    assert answer.status_code == 408


async def test_a_delivery_about_nothing_of_ours_is_a_200(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        answer = await server.client.post(f"/hooks/desk/{desk.secret}", content=b"[]")
    assert answer.status_code == 200


async def test_other_methods_and_paths_are_refused(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        answers: list[httpx.Response] = [
            await server.client.get("/hooks/desk"),
            await server.client.post("/hooks/desk/a/b"),  # a secret, and what kind of event it is
            await server.client.post("/nothing"),
        ]
    assert [a.status_code for a in answers] == [405, 401, 404]
