"""A self-hosted Infisical: Universal Auth, and the secrets of folders.

As documented: https://infisical.com/docs/api-reference/endpoints/universal-auth/login,
https://infisical.com/docs/api-reference/endpoints/secrets/list and
https://infisical.com/docs/api-reference/overview/errors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.stubs.server import Asked, Reply, serving

LOGIN = "/api/v1/auth/universal-auth/login"
LIST = "/api/v3/secrets/raw"


@dataclass
class Infisical:
    """One project with one machine identity. `faults` are answered first, one per request."""

    url: str = ""
    client_id: str = "machine-7"
    client_secret: str = "machine-secret-7"
    project: str = "desk"
    environment: str = "prod"
    folders: dict[str, dict[str, str]] = field(default_factory=lambda: {"/": {}})
    imports: dict[str, list[str]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    faults: list[Reply] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    logins: int = 0
    reads: int = 0

    @property
    def variables(self) -> dict[str, str]:
        """What an operator writes into the environment to use this server."""
        return {
            "ROLECALL_SECRETS__SOURCES": '["infisical"]',
            "ROLECALL_SECRETS__INFISICAL_HOST": self.url,
            "SECRET_CLIENT_ID": self.client_id,
            "SECRET_CLIENT_SECRET": self.client_secret,
            "SECRET_PROJECT_SLUG": self.project,
            "SECRET_ENVIRONMENT_SLUG": self.environment,
            "SECRET_PATH": "/",
        }

    def expire_tokens(self) -> None:
        """Let every access token that was given out run out."""
        self.tokens.clear()

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        if self.faults:
            return self.faults.pop(0)
        if (asked.method, asked.path) == ("POST", LOGIN):
            return self._login(json.loads(asked.body))
        if (asked.method, asked.path) == ("GET", LIST):
            return self._list(asked)
        return refusal(404, "NotFound", f"Route {asked.method}:{asked.path} not found")

    def _login(self, given: dict[str, str]) -> Reply:
        if (given.get("clientId"), given.get("clientSecret")) != (self.client_id, self.client_secret):
            return refusal(401, "UnauthorizedError", f"Invalid credentials {given}")
        self.logins += 1
        token = f"access-token-{self.logins}"
        self.tokens.add(token)
        return Reply(200, {"accessToken": token, "expiresIn": 7200, "accessTokenMaxTTL": 7200, "tokenType": "Bearer"})

    def _list(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return refusal(403, "TokenError", "Your token has expired. Please re-authenticate.")
        if (asked.query.get("workspaceSlug"), asked.query.get("environment")) != (self.project, self.environment):
            return refusal(404, "NotFound", "Project or environment not found")
        folder = asked.query.get("secretPath", "/")
        if folder not in self.folders:
            return refusal(404, "NotFound", f"Folder with path '{folder}' not found")
        self.reads += 1
        imported = [
            {"secretPath": other, "environment": self.environment, "secrets": self._rows(other)}
            for other in self.imports.get(folder, [])
        ]
        return Reply(200, {"secrets": self._rows(folder), "imports": imported})

    def _rows(self, folder: str) -> list[dict[str, Any]]:
        return [
            {
                "id": f"id-{name}",
                "_id": f"id-{name}",
                "workspace": "workspace-1",
                "environment": self.environment,
                "version": 1,
                "type": "shared",
                "secretKey": name,
                "secretValue": "<hidden-by-infisical>" if name in self.hidden else value,
                "secretValueHidden": name in self.hidden,
                "secretComment": "",
                "createdAt": "2026-01-05T08:00:00.000Z",
                "updatedAt": "2026-01-05T08:00:00.000Z",
                "aFieldOfALaterRelease": True,
            }
            for name, value in self.folders[folder].items()
        ]


def refusal(status: int, error: str, message: str) -> Reply:
    """Return an answer in the form of Infisical's errors."""
    return Reply(status, {"reqId": "req-1", "statusCode": status, "message": message, "error": error})


@contextmanager
def infisical() -> Iterator[Infisical]:
    """Serve one for as long as the block lasts."""
    stub = Infisical()
    with serving(stub.answer) as stub.url:
        yield stub
