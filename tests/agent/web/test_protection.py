"""Headers without end, in number, in size or in time, are refused, whatever their address; what fits passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from agent.config.settings import ServerSettings
from agent.web.protection import REFUSAL, WaitingRoom, limited
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

LIMITS = ServerSettings(max_headers=20, max_header_bytes=4_096)


async def echo(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())} bytes")


@pytest.fixture(params=[limited(LIMITS, WaitingRoom()), "httptools"], ids=["limited", "control"])
async def port(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """Run a server, as ours is run or (the control) as it comes."""
    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http=request.param, log_config=None, log_level="critical", lifespan="off")
    )
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield reader, writer
    writer.close()


async def status(port: int, *pieces: bytes, patience: float = PATIENCE_SECONDS) -> int:
    """Send the pieces one by one and return the status of the first answer, 0 where none came."""
    async with connection(port) as (reader, writer):
        line = asyncio.create_task(reader.readline())
        for piece in pieces:
            if not line.done():
                writer.write(piece)
                await asyncio.sleep(0.01)
        done, _ = await asyncio.wait({line}, timeout=patience)
        return int(line.result().split()[1]) if done else 0


def controlled(request: pytest.FixtureRequest) -> bool:
    return "control" in request.node.callspec.id


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
NOT_THERE = HEAD.replace(b"/ ", b"/nothing ", 1)
MANY = b"".join(b"X-%d: y\r\n" % n for n in range(30))
LARGE = b"X: " + b"y" * 5_000 + b"\r\n"
PIECE = b"y" * 1_000

REFUSED = {
    "too many": [HEAD + MANY + b"\r\n"],
    "too large": [HEAD + LARGE + b"\r\n"],
    "too large in pieces": [HEAD, LARGE, b"\r\n"],
    "a long address": [HEAD.replace(b"/ ", b"/?" + PIECE * 5 + b" ", 1) + b"\r\n"],
    "whatever the address": [NOT_THERE + MANY + b"\r\n"],
}


@pytest.mark.parametrize("pieces", REFUSED.values(), ids=REFUSED)
async def test_a_large_head_is_a_431(request: pytest.FixtureRequest, port: int, pieces: list[bytes]) -> None:
    assert (await status(port, *pieces) == 431) is not controlled(request)


TRAILERS = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
ENDLESS = {
    "one header": [HEAD + b"X: ", *[PIECE] * 8],
    "headers": [HEAD, *[b"X: " + PIECE + b"\r\n"] * 8],
    "an address": [b"POST /", *[PIECE] * 8],
    "trailers": [TRAILERS, *[b"X: " + PIECE + b"\r\n"] * 8],
}


@pytest.mark.parametrize("pieces", ENDLESS.values(), ids=ENDLESS)
async def test_what_never_ends_is_cut_off(request: pytest.FixtureRequest, port: int, pieces: list[bytes]) -> None:
    if controlled(request):
        assert await status(port, *pieces, patience=0.3) == 0
    else:
        assert await status(port, *pieces) == 431


async def test_heads_that_fit_pass_whatever_comes_with_them(port: int) -> None:
    large = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    assert await status(port, HEAD + b"X: y\r\n" * 10 + b"\r\n") == 200
    assert await status(port, large + HEAD, b"\r\n") == 200
    async with connection(port) as (reader, writer), asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(3):
            writer.write(large + HEAD + b"\r\n")
        answers = b""
        while answers.count(b" bytes") < 6:
            answers += await reader.read(4096)
    assert answers.count(b"100000 bytes") == 3
    assert answers.count(b"HTTP/1.1 200") == 6


async def test_the_refusal_says_why(port: int, request: pytest.FixtureRequest) -> None:
    async with connection(port) as (reader, writer), asyncio.timeout(PATIENCE_SECONDS):
        writer.write(HEAD + MANY + b"Connection: close\r\n\r\n")
        answer = await reader.read()
    assert answer.endswith(b"0 bytes" if controlled(request) else REFUSAL.encode())
