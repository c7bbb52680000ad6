"""A closed-loop sender: so many keep-alive connections, each sends its next delivery when the last was answered."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

HEAD_END = b"\r\n\r\n"


@dataclass
class Tally:
    """What came back: answers by status, seconds from request to answer, and requests that got no answer."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    unanswered: int = 0
    without_retry_after: int = 0
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return sum(self.statuses.values()) / self.elapsed

    def percentile_ms(self, share: float) -> float:
        """Return the answer time that this share of requests did not exceed."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def request(path: str, body: bytes, host: str = "127.0.0.1") -> bytes:
    """Return the bytes of one POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Sender(asyncio.Protocol):
    """One connection. `next_request` returns None when there is nothing more to send."""

    def __init__(self, next_request: Callable[[], bytes | None], tally: Tally, done: asyncio.Future[None]) -> None:
        self._next, self._tally, self._done = next_request, tally, done
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is one without saying so
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(HEAD_END)
        if end < 0:
            return
        head = self._buffer[:end].lower()
        start = head.find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        if len(self._buffer) < end + len(HEAD_END) + length:
            return
        self._buffer = b""
        status = int(head[9:12])
        self._tally.statuses[status] += 1
        self._tally.seconds.append(time.perf_counter() - self._sent_at)
        if status in (429, 503) and b"retry-after:" not in head:
            self._tally.without_retry_after += 1
        self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self._done.done():
            self._tally.unanswered += 1
            self._done.set_result(None)

    def _send(self) -> None:
        wire = self._next()
        if wire is None:
            if not self._done.done():
                self._done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(wire)


async def flood(port: int, connections: int, next_request: Callable[[], bytes | None]) -> Tally:
    """Send until `next_request` returns None on every connection, and return what came back."""
    loop, tally = asyncio.get_running_loop(), Tally()
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    begun = time.perf_counter()
    for end in ends:
        await loop.create_connection(lambda end=end: _Sender(next_request, tally, end), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*ends)
    tally.elapsed = time.perf_counter() - begun
    return tally
