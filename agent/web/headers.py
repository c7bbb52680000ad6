"""Headers that every answer to a person has: nothing is framed, sniffed, kept by caches or told to other sites.

Source: OWASP Secure Headers Project. Strict-Transport-Security belongs to whatever ends TLS in front of us.
"""

from __future__ import annotations

import base64
import hashlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
    """ASGI middleware that adds them. A page says itself what it may load, with a policy of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, with these headers."""
        if scope["type"] != "http" or scope["path"].startswith(WEBHOOKS):
            await self._app(scope, receive, send)
            return

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                page = any(name == POLICY for name, _ in given)
                message["headers"] = [*given, *(_ALWAYS if page else _WITHOUT_PAGE)]
            await send(message)

        await self._app(scope, receive, adding)
