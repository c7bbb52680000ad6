"""Access to the model API: its route, its key and the limit on the body, all before anything is parsed.

The API answers below /v1, where every path needs the key whether it exists or not, and at a closed list of public ones;
every other path is free for pages. The key is the configured one, or else the one generated at the first start. There
are no cookies, no sessions and no CORS: a browser sends nothing by itself that would let a page of others act for
somebody, so there is no request to forge (CSRF).
"""

from __future__ import annotations

import json

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.config.settings import ApiSettings
from agent.model_api.bounds import MAX_REASON
from agent.model_api.keys import Keys
from agent.model_api.web import docs
from agent.model_api.web.turns import TOO_LARGE, NotTaken, Turns
from agent.web.protection import declared_too_large

HEADER = "X-API-Key"
PUBLIC = frozenset({"/health", docs.PATH, docs.SCHEMA})
"""Without a key: that the process lives, and the documentation, which is the same in every installation."""

BELOW = "/v1"

NO_KEY = f"the header {HEADER} is missing or wrong"
BUSY_STATUS = 429
RETRY_AFTER_SECONDS = "5"


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
    """Passes paths to the API unchanged; a mount would remove /v1, and the public paths share no prefix."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match every path that the API answers, with any method."""
        ours = scope["type"] == "http" and answered(scope["path"])
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to the API."""
        await self.app(scope, receive, send)
