"""Requests to a system's API as its manifest says: who we are to it, and what its answers mean."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from connectors.deliveries import read_json
from connectors.errors import Ambiguous, ConnectorError, MalformedPayload, Permanent, TicketNotFound, Transient
from connectors.http import Response, call, error_of_status, make_client, until
from connectors.manifest import placeholders
from connectors.manifest.api import BasicLogin, ClientCredentials, ErrorRule, HeaderAuth, LogIn
from connectors.manifest.mapping import holds, sought
from connectors.manifest.model import Write
from connectors.manifest.parts import Ask
from connectors.manifest.system import System
from connectors.manifest.values import text_of
from connectors.tokens import Keeper, LogInAgain, Pair, login_of


class _Spent(Permanent):
    """The system does not take the refresh token any more."""


class Access:
    """One client of one system. With OAuth 2 a token is asked for before the first request, and after a 401."""

    def __init__(self, source: str, system: System, client: httpx.AsyncClient | None = None) -> None:
        self.tokens: Keeper | None = None
        self._source, self._system = source, system
        self._api = system.manifest.api
        self._statuses = {status for rule in self._api.error for status in rule.status} | (
            {429} if self._api.wait else set()
        )
        self._client = client or self._own_client()
        self._token: str | None = None
        self._renewing = asyncio.Lock()

    def _own_client(self) -> httpx.AsyncClient:
        values = self._system.values
        return make_client(
            placeholders.address(self._api.base, values),
            {},
            timeout_seconds=values["timeout_seconds"],
            ca_file=values["ca_file"],
        )

    async def ask(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, json: Any = None, *, write: bool = False
    ) -> tuple[Any, Response]:
        """Send one request; return the answer's JSON, None where there is none. Raises ConnectorError."""
        used, auth, wanted = self._token, self._api.auth, {"params": params or None, "json": json, "write": write}
        renewed = auth if isinstance(auth, ClientCredentials | LogIn) else None
        accept = self._statuses | ({401} if renewed else set())
        headers = await self._headers()
        response = await call(self._client, method, path, headers=headers, accept=accept, **wanted)
        if response.status == 401 and renewed is not None:
            await self._renew(renewed, used or self._token)
            headers = await self._headers()
            response = await call(self._client, method, path, headers=headers, accept=self._statuses, **wanted)
        return self._judged(f"{method} {path}", response, write=write), response

    async def read(self, wanted: Ask, values: Mapping[str, Any], *, write: bool = False) -> Any:
        """Send a request that reads; return the answer's JSON. Raises ConnectorError."""
        method, path = wanted.request
        query, body = placeholders.filled(wanted.query, values), placeholders.filled(wanted.body, values)
        return (await self.ask(method, placeholders.path(path, values), query, body, write=write))[0]

    async def write(self, write: Write, values: Mapping[str, Any]) -> Any:
        """Send a request that writes, after those before it; return the answer's JSON. Raises ConnectorError."""
        for step in write.steps:
            found = sought(step.value, await self.read(step, values, write=step.post is not None))
            if found is None:
                raise Permanent(f"{' '.join(step.request)}: the answer has nothing at {step.value.text}")
            values = {**values, step.name: found}
        method, path = write.request
        query, body = placeholders.filled(write.query, values), placeholders.filled(write.body, values)
        return (await self.ask(method, placeholders.path(path, values), query, body, write=True))[0]

    def _judged(self, what: str, response: Response, *, write: bool) -> Any:
        """Return an answer's JSON; raise the error that a rule makes of it, or its status."""
        try:
            answer = read_json(response.body) if response.body.strip() else None
        except MalformedPayload as error:
            if 200 <= response.status < 300:
                raise (Ambiguous if write else Permanent)(f"{what}: the answer is {error}") from None
            answer = None
        for rule in self._api.error:
            if response.status in rule.status and (rule.when is None or holds(rule.when, answer)):
                if rule.means == "ignore":
                    return answer
                raise self._error(rule, what, response, write=write)
        if response.status == 429 and self._api.wait is not None:
            raise Transient(f"{what}: answered 429", self._wait(response))
        if not 200 <= response.status < 300:
            raise error_of_status(what, response, write=write, now=datetime.now(UTC))
        return answer

    def _error(self, rule: ErrorRule, what: str, response: Response, *, write: bool) -> ConnectorError:
        """Return the error of a rule. The answer is not quoted: it may repeat words of the ticket."""
        message = f"{what}: answered {response.status}"
        match rule.means:
            case "not-found":
                return TicketNotFound(message)
            case "permanent":
                return Permanent(message)
            case "unsure" if write:
                return Ambiguous(message)
            case "wait":
                return Transient(message, self._wait(response))
            case _:
                return Transient(message)

    def _wait(self, response: Response) -> float | None:
        now = datetime.now(UTC)
        wait = self._api.wait
        known = error_of_status("", Response(429, response.headers, b""), write=False, now=now)
        if wait is None or (isinstance(known, Transient) and known.retry_after is not None):
            return known.retry_after if isinstance(known, Transient) else None
        value = response.headers.get(wait.header)
        if wait.unit == "unix-ms" and value:
            value = value[:-3]
        if wait.unit == "seconds":
            value = str(int(now.timestamp()) + int(value)) if value and value.isdigit() and len(value) < 9 else None
        return until(value, now)

    async def _headers(self) -> dict[str, str]:
        values = self._system.values
        headers = {name: placeholders.address(value, values) for name, value in self._api.headers.items()}
        match self._api.auth:
            case HeaderAuth() as auth:
                headers[auth.header] = placeholders.address(auth.value, values)
            case BasicLogin() as auth:
                headers["authorization"] = _basic(
                    placeholders.address(auth.user, values), placeholders.address(auth.password, values)
                )
            case ClientCredentials() as auth:
                if self._token is None:
                    await self._renew(auth, None)
                headers["authorization"] = f"Bearer {self._token}"
            case LogIn() as auth:
                if self._token is None:
                    await self._renew(auth, None)
                headers[auth.header] = placeholders.address(auth.value, {**values, "session": self._token})
        return headers

    async def _renew(self, auth: ClientCredentials | LogIn, used: str | None) -> None:
        """Ask for a new token, unless another request has done so since `used` was."""
        async with self._renewing:
            if self._token is not None and self._token != used:
                return
            if isinstance(auth, LogIn):
                self._token = await self._logged_in(auth)
            elif auth.grant == "refresh_token":
                self._token = await self._rotated(auth, used or "")
            else:
                self._token = (await self._asked_for(auth, {})).access

    async def _rotated(self, auth: ClientCredentials, used: str) -> str:
        """Return a newer access token than `used`: one that another process has stored, or that of a new pair."""
        if self.tokens is None:
            raise Permanent(f"{self._source}: its tokens are replaced at each renewal, and nothing keeps them here")
        first = placeholders.address(auth.refresh_token or "", self._system.values)
        login = login_of(first)
        known = await self.tokens.read(self._source, login)
        if known is None or known.access == used:
            known = await self.tokens.claim(self._source, login, used)
        if known is not None and known.access != used:
            return known.access
        try:
            fresh = await self._asked_for(auth, {"refresh_token": known.refresh if known else first})
        except _Spent:
            other = await self.tokens.spent(self._source, login, known.access if known else "")
            if other is None:
                raise LogInAgain(self._source) from None
            return other.access
        except ConnectorError:
            await self.tokens.release(self._source, login)
            raise
        await self.tokens.store(self._source, login, fresh)
        return fresh.access

    async def _asked_for(self, auth: ClientCredentials, given: dict[str, str]) -> Pair:
        """Return the tokens that the system gives. Raises ConnectorError; _Spent for a refresh token of no more use."""
        values, headers = self._system.values, dict[str, str]()
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
        response = await call(
            self._client, "POST", url, json=given_json, form=given_form, headers=headers, accept={400, 401}
        )
        path = urlsplit(url).path
        try:
            answer = read_json(response.body)
        except MalformedPayload as error:
            raise Permanent(f"POST {path}: answered {response.status}: {error}") from None
        answer = answer if isinstance(answer, dict) else {}
        if response.status != 200:
            spent = auth.grant == "refresh_token" and answer.get("error") == "invalid_grant"
            fault = "the log-in" if spent else "client id or secret"
            raise (_Spent if spent else Permanent)(f"POST {path}: answered {response.status}: {fault} is not accepted")
        token = _as_header(text_of(answer.get("access_token")), f"POST {path}")
        return Pair(token, text_of(answer.get("refresh_token")) or given.get("refresh_token", ""))

    async def _logged_in(self, auth: LogIn) -> str:
        """Return the token of a new log-in. Raises ConnectorError."""
        path = placeholders.address(auth.post, self._system.values)
        body = placeholders.filled(auth.body, self._system.values)
        response = await call(self._client, "POST", path, json=body, accept={400, 401, 403}, write=False)
        if not 200 <= response.status < 300:
            raise Permanent(f"POST {path}: answered {response.status}: the log-in is not accepted")
        try:
            token = text_of(sought(auth.token, read_json(response.body)))
        except MalformedPayload as error:
            raise Permanent(f"POST {path}: {error}") from None
        return _as_header(token, f"POST {path}")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _as_header(token: str | None, what: str) -> str:
    if not token or not token.isascii() or not token.isprintable():
        raise Permanent(f"{what}: the answer holds no token that a header could carry")
    return token


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
