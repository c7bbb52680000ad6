"""An Azure Key Vault and the Entra ID that its clients log in to, with a certificate of its own authority.

As documented: https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets,
https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret and
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import trustme

from tests.stubs.server import Asked, Reply, serving

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT_ID = "99999999-8888-7777-6666-555555555555"
PAGE = 2


@dataclass
class KeyVault:
    """One vault with one application that may read it. `faults` are answered to authorised requests first."""

    url: str = ""
    ca_file: str = ""
    client_secret: str = "entra-secret"
    secrets: dict[str, str] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    expired: set[str] = field(default_factory=set)
    faults: list[Reply] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def put(self, name: str, value: str) -> None:
        """Store a new version of a secret."""
        self.secrets[name] = value
        self.updated[name] = self.updated.get(name, 1_767_600_000) + 60

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        if asked.path.startswith(f"/{TENANT}/"):
            return self._entra(asked)
        if asked.headers.get("authorization") != "Bearer entra-token":
            challenge = f'Bearer authorization="{self.url}/{TENANT}", resource="https://vault.azure.net"'
            return Reply(401, error("Unauthorized", "Bearer token is missing"), {"WWW-Authenticate": challenge})
        if self.faults:
            return self.faults.pop(0)
        parts = asked.path.strip("/").split("/")
        if parts == ["secrets"]:
            return self._page(int(asked.query.get("$skiptoken", 0)))
        if parts[0] == "secrets" and parts[1] in self.secrets:
            self.fetched.append(parts[1])
            return Reply(200, {"value": self.secrets[parts[1]], **self._properties(parts[1], "/version-1")})
        return Reply(404, error("SecretNotFound", f"A secret with the name {parts[-1]} was not found"))

    def _page(self, start: int) -> Reply:
        names = sorted(self.secrets)
        more = start + PAGE < len(names)
        following = f"{self.url}/secrets?api-version=7.6&$skiptoken={start + PAGE}" if more else None
        return Reply(200, {"value": [self._properties(n) for n in names[start : start + PAGE]], "nextLink": following})

    def _properties(self, name: str, version: str = "") -> dict[str, Any]:
        dates = {"created": 1_767_600_000, "updated": self.updated[name]}
        if name in self.expired:
            dates["exp"] = 1_767_600_001
        return {
            "id": f"{self.url}/secrets/{name}{version}",
            "attributes": {"enabled": name not in self.disabled, **dates},
        }

    def _entra(self, asked: Asked) -> Reply:
        if asked.path.endswith("/.well-known/openid-configuration"):
            base = f"{self.url}/{TENANT}"
            return Reply(
                200,
                {
                    "issuer": f"{base}/v2.0",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                },
            )
        given = {key: values[0] for key, values in parse_qs(asked.body.decode()).items()}
        if (given.get("client_id"), given.get("client_secret")) != (CLIENT_ID, self.client_secret):
            described = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"}
            return Reply(401, described)
        return Reply(200, {"access_token": "entra-token", "expires_in": 3599, "token_type": "Bearer"})


def error(code: str, message: str) -> dict[str, Any]:
    """Return the body of an Azure error."""
    return {"error": {"code": code, "message": message}}


@contextmanager
def key_vault(folder: Path) -> Iterator[KeyVault]:
    """Serve one for as long as the block lasts; `folder` takes its authority's certificate."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    stub = KeyVault(ca_file=str(ca_file))
    with serving(stub.answer, context) as stub.url:
        yield stub
