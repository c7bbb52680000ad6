"""Limit the size of requests by their heads, and add security headers to responses. Both apply to every address.

The HTTP parser limits neither request line nor headers nor trailers. The limit costs a request less than a microsecond:
sizes are added up only when more bytes arrived than it allows. Responses forbid framing, sniffing, caching and
referrers (OWASP Secure Headers Project). Strict-Transport-Security belongs to the proxy that terminates TLS.
"""

from __future__ import annotations

import base64
import hashlib

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from agent.config.settings import ServerSettings
from agent.web.patience import PatientProtocol, WaitingRoom

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


REFUSAL = "too many or too large headers\n"

_ANSWER = PlainTextResponse(REFUSAL, 431, {"Connection": "close"})
_RAW = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(REFUSAL), REFUSAL.encode())
)


def limited(limits: ServerSettings, waiting: WaitingRoom) -> type[HttpToolsProtocol]:
    """Return uvicorn's protocol with limits: larger headers are answered with 431, and the connection is closed.

    All bytes that are not part of a body count, so headers that never end are cut off as well.
    Source of the status: RFC 6585, section 5. `waiting` bounds the time.
    """
    most_headers, most_bytes = limits.max_headers, limits.max_header_bytes

    class Limited(PatientProtocol):
        room = waiting
        _open = 0
        """Bytes read since the last complete head or piece of a body."""

        def data_received(self, data: bytes) -> None:
            self._open += len(data)
            super().data_received(data)
            if self._open > most_bytes and not self.transport.is_closing():
                self.transport.write(_RAW)
                self.transport.close()

        def on_headers_complete(self) -> None:
            if len(self.headers) > most_headers or (self._open > most_bytes and self._size() > most_bytes):
                self.app = _ANSWER
            self._open = 0
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            self._open = 0
            super().on_body(body)

        def _size(self) -> int:
            return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    return Limited


def declared_too_large(headers: Headers, most: int) -> bool:
    """Return whether the body is declared to be larger than `most` bytes, or its length is no number.

    The length may have more digits than Python converts, and zeros before them.
    """
    length = headers.get("content-length", "0")
    digits = length.lstrip("0")
    return not (length.isascii() and length.isdigit()) or len(digits) > len(str(most)) or int(digits or "0") > most
