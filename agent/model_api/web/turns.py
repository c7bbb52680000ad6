"""Take in bodies, and let long answers be made, a few at a time: many clients together hold no more than a few do.

A small body is read at once. A larger one waits, unread, until fewer than LARGE_BODIES are held; a prediction or an
embedding waits, its body read, until fewer than ANSWERS are made or sent. Whoever waits for too long is refused: 429.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.errors import RolecallError
from agent.model_api.bounds import ANSWERS, LARGE_BODIES, SMALL_BODY, TURN_SECONDS

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
LONG_ANSWERS = frozenset({"/v1/predict", "/v1/embeddings"})

BUSY = "too many requests at once: try again later"
TOO_LARGE = "the body is larger than {} bytes"
TOO_SLOW = "the body came too slowly"
ENDED_EARLY = "the body ended early"


class NotTaken(RolecallError):
    """A request whose body is not taken in, with the HTTP status to refuse it with."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Turns:
    """Whose turn it is. `most`: bytes of a body; `seconds`: until all of it has to be there, waiting included."""

    most: int
    seconds: float
    _large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LARGE_BODIES))
    _answers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ANSWERS))

    async def pass_on(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body and call the application with it, each when its turn comes. Raises NotTaken before that."""
        if scope["method"] not in WITH_BODY:
            await app(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + self.seconds
        length = Headers(scope=scope).get("content-length", "0" if self._chunkless(scope) else "")
        async with AsyncExitStack() as held:
            if not length or int(length) > SMALL_BODY:
                await held.enter_async_context(turn(self._large))
            body = await self._read(receive, deadline)
            if scope["path"] in LONG_ANSWERS:
                await held.enter_async_context(turn(self._answers))
            await app(scope, _replayed(body, receive), send)

    async def _read(self, receive: Receive, deadline: float) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise NotTaken(400, ENDED_EARLY)
                    body += message.get("body", b"")
                    if len(body) > self.most:  # a body in chunks does not say its length beforehand
                        raise NotTaken(413, TOO_LARGE.format(self.most))
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise NotTaken(408, TOO_SLOW) from None

    def _chunkless(self, scope: Scope) -> bool:
        return "transfer-encoding" not in Headers(scope=scope)


@asynccontextmanager
async def turn(places: asyncio.Semaphore) -> AsyncIterator[None]:
    """Hold one of so many places for a block. Raises NotTaken where none becomes free."""
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await places.acquire()
    except TimeoutError:
        raise NotTaken(429, BUSY) from None
    try:
        yield
    finally:
        places.release()


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already; after it, what the server says of the connection."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return left.pop() if left else await receive()

    return replayed
