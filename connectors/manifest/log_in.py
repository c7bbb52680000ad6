"""Log-ins: how a token is asked for, and what the answer means."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

import httpx

from connectors.deliveries import read_json
from connectors.errors import MalformedPayload, Permanent
from connectors.http import call
from connectors.manifest import placeholders
from connectors.manifest.api import ClientCredentials, LogIn
from connectors.manifest.mapping import sought
from connectors.manifest.values import text_of
from connectors.tokens import Pair

_SPENT = ("invalid_grant", "invalid_code")
"""What a refresh token of no more use is answered with (RFC 6749, 5.2); the second one by Zoho, with status 200."""


class Spent(Permanent):
    """The system does not take the refresh token any more."""


async def asked_for(
    client: httpx.AsyncClient, auth: ClientCredentials, values: Mapping[str, Any], given: dict[str, str]
) -> Pair:
    """Return the tokens that the system gives. Raises ConnectorError; Spent for a refresh token of no more use."""
    headers = dict[str, str]()
    client_id = placeholders.address(auth.client_id, values)
    secret = placeholders.address(auth.client_secret, values)
    asked = {"grant_type": auth.grant, **given} | (
        {"scope": placeholders.address(auth.scope, values)} if auth.scope else {}
    )
    if auth.grant == "password":
        asked["username"] = placeholders.address(auth.user or "", values)
        asked["password"] = placeholders.address(auth.password or "", values)
    if auth.send == "basic":
        headers["authorization"] = _basic(client_id, secret)
    else:
        asked |= {"client_id": client_id, "client_secret": secret}
    url = placeholders.address(auth.token_url, values)
    (given_form, given_json) = (None, asked) if auth.send == "json" else (asked, None)
    response = await call(client, "POST", url, json=given_json, form=given_form, headers=headers, accept={400, 401})
    path = urlsplit(url).path
    try:
        answer = read_json(response.body)
    except MalformedPayload as error:
        raise Permanent(f"POST {path}: answered {response.status}: {error}") from None
    answer = answer if isinstance(answer, dict) else {}
    if response.status != 200 or "error" in answer:
        spent = auth.grant == "refresh_token" and answer.get("error") in _SPENT
        fault = "the log-in" if spent else "client id or secret"
        raise (Spent if spent else Permanent)(f"POST {path}: answered {response.status}: {fault} is not accepted")
    token = _as_header(text_of(answer.get("access_token")), f"POST {path}")
    return Pair(token, text_of(answer.get("refresh_token")) or given.get("refresh_token", ""))


async def logged_in(client: httpx.AsyncClient, auth: LogIn, values: Mapping[str, Any]) -> str:
    """Return the token of a new log-in. Raises ConnectorError."""
    path = placeholders.address(auth.post, values)
    body, form = placeholders.filled(auth.body, values), placeholders.filled(auth.form, values)
    response = await call(client, "POST", path, json=body, form=form, accept={400, 401, 403}, write=False)
    if not 200 <= response.status < 300:
        raise Permanent(f"POST {path}: answered {response.status}: the log-in is not accepted")
    if auth.token is None:
        return token_hex()  # the cookie is kept by the client: this stands for it, and tells one log-in from another
    try:
        token = text_of(sought(auth.token, _answer(response.body)))
    except MalformedPayload as error:
        raise Permanent(f"POST {path}: {error}") from None
    return _as_header(token, f"POST {path}")


def _answer(body: bytes) -> Any:
    """Return an answer's JSON; one that is none is a text, as BMC Helix answers its token."""
    try:
        return read_json(body)
    except MalformedPayload:
        return body.decode("utf-8", "replace").strip()


def _as_header(token: str | None, what: str) -> str:
    if not token or not token.isascii() or not token.isprintable():
        raise Permanent(f"{what}: the answer holds no token that a header could carry")
    return token


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
