"""The limit on request line, headers and trailers, which the HTTP parser itself does not limit.

It holds for every address, before routing, and costs a request less than a microsecond: sizes are added up only where
more bytes came than the limit allows.
"""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from agent.config.settings import ServerSettings

REFUSAL = "too many or too large headers\n"

_ANSWER = PlainTextResponse(REFUSAL, 431, {"Connection": "close"})
_RAW = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(REFUSAL), REFUSAL.encode())
)


def limited(limits: ServerSettings) -> type[HttpToolsProtocol]:
    """Return uvicorn's protocol with a limit: a larger head is answered with 431, and its connection closed.

    Whatever is read without completing a head or bringing a body counts, so one that never ends is cut off as well.
    Source of the status: RFC 6585, section 5.
    """
    most_headers, most_bytes = limits.max_headers, limits.max_header_bytes

    class Limited(HttpToolsProtocol):
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
