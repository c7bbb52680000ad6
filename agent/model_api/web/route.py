"""The model API as one route of the server, so that every other path is free for pages."""

from __future__ import annotations

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.model_api.web.access import answered


class ModelApiRoute(BaseRoute):
    """Hands the API its paths as they are; a mount would cut off /v1, and the public ones have no prefix in common."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match what the API answers, by whatever method."""
        ours = scope["type"] == "http" and answered(scope["path"])
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the API answer."""
        await self.app(scope, receive, send)
