"""Protect the server from what clients send and how long they take, and browsers from what they are answered.

Time: what a client owes is waited for as long as `Patience` says; where descriptors run short, the oldest connection is
closed. While the server owes an answer, nothing is measured. What is overdue is cut off, not closed: closing would wait
until the client has read what is left. A request costs two entries in a dictionary, and one timer serves all.

Size: the HTTP parser limits neither request line nor headers nor trailers. The limit costs a request less than a
microsecond: sizes are added up only when more bytes arrived than it allows.

Answers forbid framing, sniffing, caching and referrers (OWASP Secure Headers Project). Strict-Transport-Security
belongs to the proxy that terminates TLS.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import resource
from dataclasses import dataclass, field

import structlog
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from agent.config.settings import ServerSettings

LOOK_SECONDS = 1.0
"""How often overdue connections are looked for."""

ENOUGH_DESCRIPTORS = 65_536
RESERVED_DESCRIPTORS = 256
"""For files, the database, and calls to other systems; of a small limit, half."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a client has for each of its duties."""

    head: float = 30.0
    """For a request's head, the first or the next on a connection."""
    body: float = 65.0
    """For the rest of a request's body."""
    answer: float = 30.0
    """To read an answer that fills the buffers."""


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files as far as the hard one allows, and return how many connections fit in."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    most = ENOUGH_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    return most - min(RESERVED_DESCRIPTORS, most // 2)


@dataclass(slots=True)
class WaitingRoom:
    """The connections whose client owes something, in the order in which they began to wait, each with its deadline."""

    patience: Patience = Patience()
    most: int = ENOUGH_DESCRIPTORS
    _deadlines: dict[HttpToolsProtocol, float] = field(default_factory=dict)
    _timer: asyncio.TimerHandle | None = None

    def enter(self, connection: HttpToolsProtocol, seconds: float) -> None:
        """Expect something from the client within so many seconds, whatever was expected before."""
        self._deadlines.pop(connection, None)
        self._deadlines[connection] = connection.loop.time() + seconds
        if self._timer is None:
            self._timer = connection.loop.call_later(LOOK_SECONDS, self._look, connection.loop)

    def leave(self, connection: HttpToolsProtocol) -> None:
        """Expect nothing from the client: it has done its part, or has gone."""
        self._deadlines.pop(connection, None)

    def make_room(self, connections: int) -> None:
        """Cut off whoever has waited longest where there are more connections than descriptors allow."""
        if connections > self.most and (oldest := next(iter(self._deadlines), None)) is not None:
            self.leave(oldest)
            oldest.transport.abort()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        overdue = [connection for connection, deadline in self._deadlines.items() if deadline <= now]
        for connection in overdue:
            self.leave(connection)
            connection.transport.abort()
        if overdue:
            log.info("connections_cut_off", connections=len(overdue))
        self._timer = loop.call_later(LOOK_SECONDS, self._look, loop) if self._deadlines else None


REFUSAL = "too many or too large headers\n"

_ANSWER = PlainTextResponse(REFUSAL, 431, {"Connection": "close"})
_RAW = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(REFUSAL), REFUSAL.encode())
)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds; a connection is in the waiting room while its client owes something.

    All bytes that are not part of a body count, so headers that never end are cut off as well.
    """

    room: WaitingRoom
    most_headers: int
    most_bytes: int
    _open = 0
    """Bytes read since the last complete head or piece of a body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's signature
        """Expect the first head."""
        self.room.make_room(len(self.connections) + 1)
        super().connection_made(transport)
        self.room.enter(self, self.room.patience.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self.room.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Close the connection when a head is still open after more bytes than it may have."""
        self._open += len(data)
        super().data_received(data)
        if self._open > self.most_bytes and not self.transport.is_closing():
            self.transport.write(_RAW)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Refuse what is too large, and expect the body."""
        if len(self.headers) > self.most_headers or (self._open > self.most_bytes and self._size() > self.most_bytes):
            self.app = _ANSWER
        self._open = 0
        self.room.enter(self, self.room.patience.body)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count anew."""
        self._open = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect nothing until the request is answered; if it is already, the next head."""
        super().on_message_complete()
        self._settle()

    def on_response_complete(self) -> None:
        """Expect the next head, unless another request has begun meanwhile."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self.room.enter(self, self.room.patience.head)

    def pause_writing(self) -> None:
        """Expect the client to read."""
        super().pause_writing()
        self.room.enter(self, self.room.patience.answer)

    def resume_writing(self) -> None:
        """Expect what was expected before the client stopped reading."""
        super().resume_writing()
        self._settle()

    def _settle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.room.enter(self, self.room.patience.head)
        elif self.cycle.more_body:
            self.room.enter(self, self.room.patience.body)
        else:
            self.room.leave(self)

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)


def limited(limits: ServerSettings, waiting: WaitingRoom) -> type[BoundedProtocol]:
    """Return the protocol with these limits: larger headers are answered with 431, and the connection is closed.

    Source of the status: RFC 6585, section 5. `waiting` bounds the time.
    """

    class Limited(BoundedProtocol):
        room = waiting
        most_headers, most_bytes = limits.max_headers, limits.max_header_bytes

    return Limited


def declared_too_large(headers: Headers, most: int) -> bool:
    """Return whether the body is declared to be larger than `most` bytes, or its length is no number.

    The length may have more digits than Python converts, and zeros before them.
    """
    length = headers.get("content-length", "0")
    digits = length.lstrip("0")
    return not (length.isascii() and length.isdigit()) or len(digits) > len(str(most)) or int(digits or "0") > most


POLICY = b"content-security-policy"
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of answers that are no page: they load nothing and run nothing."""

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
WEBHOOKS = "/hooks/"
"""Their senders are no browsers, and each answer there counts: it goes out as it is."""

_WITHOUT_PAGE = (*_ALWAYS, (POLICY, NOTHING.encode()))


def inline(content: bytes) -> str:
    """Return the CSP source that allows exactly this script or style inside a page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'"


class SafeHeaders:
    """ASGI middleware that adds the headers. A page may set a policy of its own, and a file how long it keeps."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to the response."""
        if scope["type"] != "http" or scope["path"].startswith(WEBHOOKS):
            await self._app(scope, receive, send)
            return

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                named = {name for name, _ in given}
                message["headers"] = [*given, *(pair for pair in _WITHOUT_PAGE if pair[0] not in named)]
            await send(message)

        await self._app(scope, receive, adding)
