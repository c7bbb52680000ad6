"""What goes wrong on the way to a system is named by what the caller can do about it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import httpx
import pytest

from connectors.errors import Ambiguous, ConnectorError, Permanent, TicketNotFound, Transient
from connectors.http import LONGEST_RETRY_AFTER, MAX_ANSWER_BYTES, call, make_client, may_write, retry_after_seconds

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TOKEN = "secret-token"


def client_of(respond: Callable[[httpx.Request], httpx.Response], timeout_seconds: float = 5) -> httpx.AsyncClient:
    return make_client(
        "https://desk.example.test/support",
        {"Authorization": f"Token {TOKEN}"},
        timeout_seconds=timeout_seconds,
        transport=httpx.MockTransport(respond),
    )


async def outcome(method: str, respond: Callable[[httpx.Request], httpx.Response]) -> ConnectorError:
    async with client_of(respond) as client:
        with pytest.raises(ConnectorError) as caught:
            await call(client, method, "api/tickets/1/")
    assert TOKEN not in str(caught.value)
    return caught.value


async def test_a_request_goes_below_the_configured_url_and_says_who_asks() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"id": 1})

    async with client_of(respond) as client:
        answer = await call(client, "GET", "api/tickets/1/", params={"page": "last"})

    assert (answer.status, answer.body) == (200, b'{"id":1}')
    (request,) = seen
    assert str(request.url) == "https://desk.example.test/support/api/tickets/1/?page=last"
    assert request.headers["user-agent"].startswith("rolecall/")
    assert request.headers["authorization"] == f"Token {TOKEN}"


@pytest.mark.parametrize(
    ("status", "on_read", "on_write"),
    [
        (301, Permanent, Permanent),
        (400, Permanent, Permanent),
        (401, Permanent, Permanent),
        (403, Permanent, Permanent),
        (404, TicketNotFound, TicketNotFound),
        (405, Permanent, Permanent),
        (410, TicketNotFound, TicketNotFound),
        (429, Transient, Transient),
        (500, Transient, Ambiguous),
        (502, Transient, Ambiguous),
        (503, Transient, Ambiguous),
    ],
)
async def test_a_status_is_named_by_what_to_do_next(
    status: int, on_read: type[ConnectorError], on_write: type[ConnectorError]
) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"Location": "https://elsewhere.example.test/"}, text="<html>")

    for method, expected in (("GET", on_read), ("POST", on_write), ("PATCH", on_write)):
        error = await outcome(method, respond)
        assert type(error) is expected
        assert str(status) in str(error)


@pytest.mark.parametrize("status", [403, 429, 503])
async def test_the_systems_own_wish_when_to_come_back_is_passed_on(status: int) -> None:
    error = await outcome("POST", lambda request: httpx.Response(status, headers={"Retry-After": "17"}))
    assert type(error) is Transient
    assert error.retry_after == 17


@pytest.mark.parametrize(
    ("left", "reset", "expected", "wait"),
    [
        ("0", "in a minute", Transient, 60),
        ("0", "long ago", Transient, 0),
        ("0", "soon", Transient, None),
        ("0", None, Transient, None),
        ("1", "in a minute", Permanent, None),
        (None, "in a minute", Permanent, None),
    ],
)
async def test_a_limit_that_is_used_up_is_waited_for_and_a_missing_right_is_not(
    left: str | None, reset: str | None, expected: type[ConnectorError], wait: int | None
) -> None:
    now = time.time()
    stamps = {"in a minute": str(int(now) + 60), "long ago": "1"}
    given = {"X-RateLimit-Remaining": left, "X-RateLimit-Reset": stamps.get(reset or "", reset)}
    headers = {name: value for name, value in given.items() if value is not None}
    error = await outcome("GET", lambda request: httpx.Response(403, headers=headers))
    assert type(error) is expected
    if isinstance(error, Transient):
        assert error.retry_after == (wait if wait is None else pytest.approx(wait, abs=30))


@pytest.mark.parametrize(
    ("failure", "on_write"),
    [
        (httpx.ConnectError, Transient),
        (httpx.ConnectTimeout, Transient),
        (httpx.PoolTimeout, Transient),
        (httpx.ReadTimeout, Ambiguous),
        (httpx.WriteTimeout, Ambiguous),
        (httpx.ReadError, Ambiguous),
        (httpx.WriteError, Ambiguous),
        (httpx.RemoteProtocolError, Ambiguous),
        (httpx.UnsupportedProtocol, Permanent),
    ],
)
async def test_a_broken_exchange_is_ambiguous_only_if_a_write_may_have_arrived(
    failure: type[httpx.HTTPError], on_write: type[ConnectorError]
) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        raise failure("broken")

    assert type(await outcome("POST", respond)) is on_write
    assert type(await outcome("GET", respond)) is (Permanent if on_write is Permanent else Transient)


UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed")
UNTRUSTED.verify_message = "self-signed certificate"


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (UNTRUSTED, "not trusted (self-signed certificate): ca_file"),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "https"),
        (socket.gaierror(-2, "Name or service not known"), "is the address right"),
        (ConnectionRefusedError(111, "Connection refused"), "nothing listens there"),
        (OSError(113, "No route to host"), "firewall"),
    ],
)
async def test_what_keeps_a_connection_from_coming_about_is_said_and_what_to_look_at(cause: OSError, said: str) -> None:
    def refused(_request: httpx.Request) -> httpx.Response:
        try:
            raise cause
        except OSError as error:
            raise httpx.ConnectError(f"a header: {TOKEN}") from error

    error = await outcome("GET", refused)
    assert type(error) is Transient
    assert said in str(error)
    assert str(error).startswith("GET api/tickets/1/ (desk.example.test): ")


async def test_a_broken_encoding_of_the_answer_is_part_of_the_exchange() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=b"not gzip")

    assert type(await outcome("POST", respond)) is Ambiguous


async def test_an_endless_answer_is_cut_off() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_ANSWER_BYTES // 1_000_000 + 10):
            yield b"x" * 1_000_000

    assert type(await outcome("GET", lambda request: httpx.Response(200, content=endless()))) is Permanent
    assert type(await outcome("POST", lambda request: httpx.Response(200, content=endless()))) is Ambiguous


async def test_a_dripping_answer_ends() -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.005)

    async with client_of(lambda request: httpx.Response(200, content=drip()), timeout_seconds=0.02) as client:
        with pytest.raises(Transient):
            await call(client, "GET", "api/tickets/1/")


async def test_a_status_that_the_caller_expects_is_an_answer() -> None:
    async with client_of(lambda request: httpx.Response(400, json={"ticket": ["Invalid pk"]})) as client:
        assert (await call(client, "POST", "api/followups/", accept={400})).status == 400


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection to the proxy would be Transient as well: the target's own answer proves the direct way."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, make_client(f"http://127.0.0.1:{port}", {}, timeout_seconds=5) as client:
        assert (await call(client, "GET", "api/")).body == b"{}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("0", 0),
        (" 120 ", 120),
        ("1.5", None),
        ("-5", None),
        ("٣", None),
        ("9" * 400, LONGEST_RETRY_AFTER),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 12:00:30 -0000", 30),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
)
async def test_retry_after_is_read_in_both_of_its_forms(value: str | None, expected: float | None) -> None:
    assert retry_after_seconds(value, NOON) == expected


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_write_that_is_not_allowed_any_more_breaks_off_before_its_body(allowed: bool) -> None:
    """The question comes last, after all waiting: the first time it is answered when the connection stands."""
    received = bytearray()
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await reader.read(1_000):
            received.extend(part)
            if b"loud words" in received:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    token = may_write.set(lambda: allowed)
    try:
        async with make_client(f"http://127.0.0.1:{port}/", {}, timeout_seconds=5) as client:
            if allowed:
                await call(client, "POST", "comments", json={"text": "loud words"})
            else:
                with pytest.raises(Transient) as caught:
                    await call(client, "POST", "comments", json={"text": "loud words"})
                assert not isinstance(caught.value, Ambiguous)
        await ended.wait()
    finally:
        may_write.reset(token)
        server.close()
        await server.wait_closed()
    assert received.startswith(b"POST /comments")
    assert (b"loud words" in received) == allowed
