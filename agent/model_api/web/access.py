"""What stands before the model API: no key, no entry; too large a body, no reading. Both before anything is parsed.

The API answers below /v1, where every path needs the key whether it exists or not, and at a closed list of public ones.
There are no cookies, no sessions and no CORS: a browser sends nothing by itself that would let a page of others act for
somebody, so there is no request to forge (CSRF).
"""

from __future__ import annotations

import json

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.model_api.web import docs
from agent.model_api.web.key import Keys

HEADER = "X-API-Key"
PUBLIC = frozenset({"/health", docs.PATH, docs.SCHEMA})
"""Without a key: that the process lives, and the documentation, which is the same in every installation."""

BELOW = "/v1"

NO_KEY = f"the header {HEADER} is missing or wrong"
TOO_LARGE = "the body is larger than {} bytes"


class Gate:
    """ASGI middleware that answers 401 or 413 in place of the application."""

    def __init__(self, app: ASGIApp, *, keys: Keys, max_body_bytes: int) -> None:
        self._app = app
        self._keys = keys
        self._max = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if not public(scope["path"]) and not self._keys.accept(headers.get(HEADER, "")):
            await refusal(401, NO_KEY, {"WWW-Authenticate": "ApiKey"})(scope, receive, send)
        elif not length.isdecimal() or int(length) > self._max:
            await refusal(413, TOO_LARGE.format(self._max), {"Connection": "close"})(scope, receive, send)
        else:
            await self._app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max:  # a body in chunks does not say its length beforehand
                raise HTTPException(413, TOO_LARGE.format(self._max), {"Connection": "close"})
            return message

        return counted


def answered(path: str) -> bool:
    """Tell whether a path belongs to the model API."""
    return path == BELOW or path.startswith(BELOW + "/") or public(path)


def public(path: str) -> bool:
    """Tell whether a path needs no key."""
    return path in PUBLIC or path.startswith(docs.ASSETS + "/")


def refusal(status: int, detail: object, headers: dict[str, str] | None = None) -> Response:
    """Return an error answer; ASCII alone, since what it quotes may hold anything."""
    return Response(json.dumps({"detail": detail}), status, headers, media_type="application/json")
