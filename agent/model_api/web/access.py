"""Access to the model API: its route, its key, the limit on the body, and turns, all before anything is parsed.

The API answers below /v1, where every path needs the key whether it exists or not, and at a closed list of public ones;
every other path is free for pages. The key is the configured one, or else the one generated at the first start. There
are no cookies, no sessions and no CORS: a browser sends nothing by itself that would let a page of others act for
somebody, so there is no request to forge (CSRF).

Bodies are taken in, and long answers made, a few at a time: many clients together hold no more than a few do. A small
body is read at once. A larger one waits, unread, until fewer than LARGE_BODIES are held; a prediction or an embedding
waits, its body read, until fewer than ANSWERS are made or sent. Whoever waits for too long is refused: 429.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.config.settings import ApiSettings
from agent.errors import RolecallError
from agent.model_api.bounds import ANSWERS, LARGE_BODIES, MAX_REASON, SMALL_BODY, TURN_SECONDS
from agent.model_api.keys import Keys
from agent.model_api.web import docs
from agent.web.protection import declared_too_large

HEADER = "X-API-Key"
PUBLIC = frozenset({"/health", docs.PATH, docs.SCHEMA})
"""Without a key: that the process lives, and the documentation, which is the same in every installation."""

BELOW = "/v1"

NO_KEY = f"the header {HEADER} is missing or wrong"
BUSY_STATUS = 429
RETRY_AFTER_SECONDS = "5"

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
LONG_ANSWERS = frozenset({"/v1/predict", "/v1/embeddings"})

BUSY = "too many requests at once: try again later"
TOO_LARGE = "the body is larger than {} bytes"
TOO_SLOW = "the body came too slowly"
ENDED_EARLY = "the body ended early"


class AccessMiddleware:
    """ASGI middleware that answers 401, 408, 413 or 429 in place of the application."""

    def __init__(self, app: ASGIApp, *, keys: Keys, limits: ApiSettings) -> None:
        self._app = app
        self._keys = keys
        self._max = limits.max_body_bytes
        self._turns = Turns(limits.max_body_bytes, limits.body_timeout_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its key and body are accepted, else refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not public(scope["path"]) and not self._keys.accept(headers.get(HEADER, "")):
            await refusal(401, NO_KEY, {"WWW-Authenticate": "ApiKey"})(scope, receive, send)
        elif declared_too_large(headers, self._max):
            await refusal(413, TOO_LARGE.format(self._max), {"Connection": "close"})(scope, receive, send)
        else:
            try:
                await self._turns.pass_on(self._app, scope, receive, send)
            except NotTaken as refused:
                busy = {"Retry-After": RETRY_AFTER_SECONDS} if refused.status == BUSY_STATUS else {}
                await refusal(refused.status, str(refused), {"Connection": "close"} | busy)(scope, receive, send)


def answered(path: str) -> bool:
    """Return whether the model API answers this path."""
    return path == BELOW or path.startswith(BELOW + "/") or public(path)


def public(path: str) -> bool:
    """Return whether this path needs no key."""
    return path in PUBLIC or path.startswith(docs.ASSETS + "/")


def refusal(status: int, detail: object, headers: dict[str, str] | None = None) -> Response:
    """Return an error response, in ASCII only, since it may quote any input, of which no more than its beginning."""
    if isinstance(detail, str):
        detail = detail[:MAX_REASON]
    return Response(json.dumps({"detail": detail}), status, headers, media_type="application/json")


class ModelApiRoute(BaseRoute):
    """Passes paths to the API unchanged; a mount would remove /v1, and the public paths share no prefix.

    It is made when somebody first asks it: half of what a start would take, and most installations have no such client.
    """

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make

    @cached_property
    def app(self) -> ASGIApp:
        """Return the API."""
        return self._make()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match every path that the API answers, with any method."""
        ours = scope["type"] == "http" and answered(scope["path"])
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to the API."""
        await self.app(scope, receive, send)


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
