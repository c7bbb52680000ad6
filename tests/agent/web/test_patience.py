"""A client that stops halfway, or never reads, is cut off, and keeps neither others out nor the server from ending."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from agent.config.settings import ServerSettings, Settings
from agent.web import protection
from agent.web.protection import Patience, WaitingRoom, limited, raise_descriptor_limit
from agent.web.server import make_server
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

SHORT = Patience(head=0.2, body=0.2, answer=0.2)
LARGE = 4_000_000
"""More bytes than the buffers between two sockets hold."""


async def echo(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())} bytes")


async def large(_request: Request) -> Response:
    return PlainTextResponse("x" * LARGE)


APP = Starlette(routes=[Route("/", echo, methods=["POST"]), Route("/large", large)])


@asynccontextmanager
async def serving(http: object, drain: float | None = 0.2) -> AsyncIterator[tuple[uvicorn.Server, int]]:
    config = uvicorn.Config(
        APP, port=0, http=http, ws="none", log_config=None, log_level="critical", lifespan="off",
        timeout_graceful_shutdown=drain,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server, server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        await running


def hurried(most: int = 1_000) -> object:
    return limited(ServerSettings(), WaitingRoom(SHORT, most))


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "LOOK_SECONDS", 0.02)


class Client:
    """A client with a small buffer. `read` returns b"" where the connection has ended."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._socket, data)

    async def read(self) -> bytes:
        try:
            return await self._loop.sock_recv(self._socket, 65_536)
        except ConnectionResetError:
            return b""

    async def trickle(self, data: bytes) -> None:
        for byte in data:
            await self.send(bytes([byte]))
            await asyncio.sleep(0.01)

    async def until_cut_off(self) -> None:
        while await self.read():
            pass


@contextmanager
def connected(port: int) -> Iterator[Client]:
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.connect(("127.0.0.1", port))
        made.setblocking(False)
        yield Client(made)


WHOLE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
HALVES = {
    "nothing at all": b"",
    "half a head": b"POST / HTTP/1.1\r\nHost: x\r\n",
    "a head without its body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345",
    "chunks without an end": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
    "half a second head": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nPOST / HT",
    "a body that nobody reads": b"GET /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1",
}


@pytest.mark.parametrize("sent", HALVES.values(), ids=HALVES)
async def test_who_stops_halfway_is_cut_off(sent: bytes) -> None:
    async with serving(hurried()) as (_, port), asyncio.timeout(PATIENCE_SECONDS):
        with connected(port) as client:
            await client.send(sent)
            await client.until_cut_off()


@pytest.mark.parametrize("what", ["half a head", "a head without its body"])
async def test_control_without_bounds_it_stays(what: str) -> None:
    async with serving("httptools") as (_, port):
        with connected(port) as client:
            await client.send(HALVES[what])
            waiting = asyncio.create_task(client.until_cut_off())
            done, _ = await asyncio.wait({waiting}, timeout=0.5)
            assert not done
            waiting.cancel()


async def test_a_trickle_does_not_count_as_progress() -> None:
    async with serving(hurried()) as (_, port), asyncio.timeout(PATIENCE_SECONDS):
        with connected(port) as client, pytest.raises(OSError, match=r"reset|Broken pipe"):
            await client.trickle(b"POST / HTTP/1.1\r\nX: " + b"y" * 100_000)


async def test_who_does_not_read_the_answer_is_cut_off_and_who_reads_gets_it_all() -> None:
    async with serving(hurried()) as (server, port), asyncio.timeout(PATIENCE_SECONDS):
        with connected(port) as stalled, connected(port) as reading:
            for client in (stalled, reading):
                await client.send(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            received = 0
            while data := await reading.read():
                received += len(data)
            assert received > LARGE
            while server.server_state.connections:
                await asyncio.sleep(0.02)


async def test_where_descriptors_run_short_the_oldest_that_waits_goes_at_once() -> None:
    room = WaitingRoom(Patience(), most=3)
    async with serving(limited(ServerSettings(), room)) as (_, port), asyncio.timeout(PATIENCE_SECONDS):
        with connected(port) as first:
            await first.send(b"POST / HT")
            await asyncio.sleep(0.05)  # so that it is the oldest
            with connected(port) as second, connected(port) as third, connected(port) as late:
                for client in (second, third):
                    await client.send(b"POST / HT")
                await late.send(WHOLE)
                assert b"200 OK" in await late.read()
                assert await first.read() == b""
                await second.send(WHOLE.removeprefix(b"POST / HT"))
                assert b"200 OK" in await second.read()


def test_the_soft_limit_of_descriptors_is_raised() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        most = raise_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > most > 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(("drain", "ends"), [(0.2, True), (None, False)], ids=["bounded", "control"])
async def test_the_server_ends_although_a_client_does_not_read(drain: float | None, ends: bool) -> None:
    async with serving("httptools", drain) as (server, port):
        with connected(port) as client:
            await client.send(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
            while not server.server_state.total_requests:
                await asyncio.sleep(0.01)
            ending = asyncio.create_task(server.shutdown())
            done, _ = await asyncio.wait({ending}, timeout=PATIENCE_SECONDS if ends else 0.6)
            assert bool(done) is ends
            server.force_exit = True
        await ending


async def test_ours_is_bounded_in_every_respect() -> None:
    made = make_server(APP, Settings(intake={"body_timeout_seconds": 100}))  # type: ignore[arg-type]
    room = made.config.http.room  # type: ignore[union-attr]
    assert room.patience.head == 30
    assert room.patience.body > 100
    assert made.config.timeout_graceful_shutdown is not None
    assert made.config.ws == "none"


STUBBORN = """
import contextlib, threading, time
from agent.config.settings import Settings
from agent.web import server
from starlette.applications import Starlette

@contextlib.asynccontextmanager
async def lifespan(app):
    yield
    time.sleep(1_000)

server.GONE_SECONDS = 1
app = Starlette(lifespan=lifespan)
server.make_server(app, Settings(server={"port": 0}), lambda port: print(port, flush=True)).run()
"""


def test_whatever_holds_the_process_the_kernel_ends_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == -signal.SIGALRM
