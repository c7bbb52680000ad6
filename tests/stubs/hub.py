"""A Hugging Face hub that knows its accounts by their tokens.

As documented: https://huggingface.co/docs/hub/api (`GET /api/whoami-v2`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.stubs.server import Asked, Reply, serving


@dataclass
class Hub:
    """Accounts by token. `faults` are answered first, one per request."""

    url: str = ""
    accounts: dict[str, str] = field(default_factory=dict)
    faults: list[Reply] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        if self.faults:
            return self.faults.pop(0)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        self.shown.append(token)
        if asked.path != "/api/whoami-v2":
            return Reply(404, {"error": "Not Found"})
        if token not in self.accounts:
            return Reply(401, {"error": "Invalid credentials in Authorization header"})
        return Reply(
            200,
            {
                "type": "user",
                "name": self.accounts[token],
                "orgs": [],
                "auth": {"type": "access_token", "accessToken": {"displayName": "rolecall", "role": "write"}},
            },
        )


@contextmanager
def hub() -> Iterator[Hub]:
    """Serve one for as long as the block lasts."""
    stub = Hub()
    with serving(stub.answer) as stub.url:
        yield stub
