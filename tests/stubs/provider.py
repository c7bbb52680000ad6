"""A provider of identities on loopback (OpenID Connect): it vouches for whatever a test says, rightly or wrongly."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from tests.stubs.server import Asked, Reply, serving

CLIENT, SECRET = "rolecall-pages", "a secret of the application"


@dataclass
class Provider:
    """`claims` are added to what it says rightly, None leaves one out; `answers` replaces what an address gives."""

    claims: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Reply] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    signed_by: Any = None
    url: str = ""
    asked: dict[str, str] = field(default_factory=dict)
    """What the browser brought here last."""

    def visit(self, location: str) -> str:
        """Let somebody agree in front of the provider; return the query with which their browser goes back."""
        self.asked = dict(parse_qsl(urlsplit(location).query))
        return f"code=agreed&state={self.asked['state']}"

    def answer(self, asked: Asked) -> Reply:
        if asked.path in self.answers:
            return self.answers[asked.path]
        match asked.path:
            case "/.well-known/openid-configuration":
                return Reply(200, self._described())
            case "/keys":
                return Reply(200, {"keys": [self.key.as_dict(private=False, alg="ES256", use="sig")]})
            case "/token":
                return self._token({name: values[-1] for name, values in parse_qs(asked.body.decode()).items()})
        return Reply(404)

    def _described(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        }

    def _token(self, form: dict[str, str]) -> Reply:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if form.get("code") != "agreed" or challenge.decode().rstrip("=") != self.asked.get("code_challenge"):
            return Reply(400, {"error": "invalid_grant"})
        now = int(time.time())
        said = {
            "iss": self.url, "aud": CLIENT, "sub": "person-1", "iat": now, "exp": now + 300,
            "nonce": self.asked.get("nonce"), "email": "kim@example.org", "email_verified": True, **self.claims,
        }  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        key = self.signed_by or self.key
        algorithm = "HS256" if isinstance(key, OctKey) else "ES256"
        signed = jwt.encode({"alg": algorithm, "kid": "one"}, said, key, algorithms=[algorithm])
        return Reply(200, {"access_token": "x", "token_type": "Bearer", "id_token": signed})


@contextmanager
def providing() -> Iterator[Provider]:
    provider = Provider()
    with serving(provider.answer) as provider.url:
        yield provider
