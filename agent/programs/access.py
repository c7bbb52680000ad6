"""Who may what: each call passes here before its handler. A program shows an account's token, and nothing else counts.

401  no token, or none that is in force, whatever the path: strangers learn nothing of what there is
403  the account has too few rights
400, 408, 413  an address or a body that no client of ours sends
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Annotated

from fastapi import Depends
from sqlmodel import Session
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.model_api.web.access import TOO_LARGE, NotTaken, Turns, refusal
from agent.pages.guard import Refused, Visit
from agent.pages.signing import tokens
from agent.pages.signing.rights import Rights, may
from agent.pages.site import Site
from agent.store import comments
from agent.store.people import User
from agent.web.protection import declared_too_large

BELOW = "/api"
SCHEMA = "/api/openapi.json"
"""Public: it is the same in every installation."""

MOST_BYTES, BODY_SECONDS = 65_536, 10.0
NO_TOKEN = "the header `Authorization: Bearer TOKEN` is missing, or its token is wrong or has ended"  # noqa: S105
_TOKEN = re.compile(rf"(?i:bearer) +({tokens.BEGINNING}[\w-]{{20,100}})", re.ASCII)


class ProgramsRoute(BaseRoute):
    """Passes all paths below /api unchanged to their application, which is made when somebody first asks it."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make

    @cached_property
    def app(self) -> ASGIApp:
        """Return the application."""
        return self._make()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match every path below /api, with any method."""
        ours = scope["type"] == "http" and (scope["path"] == BELOW or scope["path"].startswith(BELOW + "/"))
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await self.app(scope, receive, send)


class Access:
    """ASGI middleware that lets a request pass with the account that it is for, or refuses it."""

    def __init__(self, app: ASGIApp, *, site: Site) -> None:
        self._app, self._site = app, site
        self._turns = Turns(MOST_BYTES, BODY_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] == SCHEMA:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        user, paused = await self._who(headers.get("authorization", ""))
        if user is None:
            await refusal(401, NO_TOKEN, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
        elif not scope["query_string"].isascii() or "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await refusal(400, "the address holds what no address holds")(scope, receive, send)
        elif declared_too_large(headers, MOST_BYTES):
            await refusal(413, TOO_LARGE.format(MOST_BYTES), {"Connection": "close"})(scope, receive, send)
        else:
            scope["state"] = {**scope.get("state", {}), "site": self._site, "user": user, "paused": paused}
            scope["path"] = scope["path"].rstrip("/")  # a slash at the end makes no difference
            try:
                await self._turns.pass_on(self._app, scope, receive, send)
            except NotTaken as refused:
                await refusal(refused.status, str(refused), {"Connection": "close"})(scope, receive, send)

    async def _who(self, header: str) -> tuple[User | None, str | None]:
        shown, database, now = _TOKEN.fullmatch(header), self._site.database, self._site.now()
        if shown is None:
            return None, None
        user, paused, due = await database.read(_read, shown[1], self._site)
        if due:
            await database.write(tokens.used, shown[1], now)
        return user, paused


def _read(session: Session, token: str, site: Site) -> tuple[User | None, str | None, bool]:
    user = tokens.owner(session, token, site.now())
    return user, comments.paused(session), user is not None and tokens.due(session, token, site.now())


def caller(request: Request) -> Visit:
    """Return the call as the visit of whom it is for: what people do on pages, programs do by the same functions."""
    state = request.state
    return Visit(state.site, request, "", state.user, state.paused)


Caller = Annotated[Visit, Depends(caller)]


def needs(right: Rights) -> Callable[[Request], None]:
    """Return what refuses accounts without a right."""

    def check(request: Request) -> None:
        user: User = request.state.user
        if not may(user.rights, right):
            texts = request.state.site.texts
            named = {"needed": texts(f"rights.{right}"), "yours": texts(f"rights.{user.rights}")}
            raise Refused(403, "rights", **named)

    return check
