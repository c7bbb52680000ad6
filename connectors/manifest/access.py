"""Requests to a system's API as its manifest says: who we are to it, and what its answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.deliveries import read_json
from connectors.errors import Ambiguous, ConnectorError, MalformedPayload, Permanent, TicketNotFound, Transient
from connectors.http import Response, call, error_of_status, make_client, until
from connectors.manifest import placeholders
from connectors.manifest.api import BasicLogin, ClientCredentials, ErrorRule, LogIn
from connectors.manifest.log_in import Spent, asked_for, logged_in
from connectors.manifest.mapping import holds, sought
from connectors.manifest.model import Write
from connectors.manifest.parts import Ask
from connectors.manifest.system import System
from connectors.tokens import Keeper, LogInAgain, login_of


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request sends beside its address. The body is JSON, or a form."""

    query: Mapping[str, Any]
    body: Any = None
    form: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def sent(wanted: Ask | Write, values: Mapping[str, Any]) -> Sent:
    """Return what a request of a manifest sends, its placeholders filled. Raises Permanent."""
    headers = {name: placeholders.address(value, values) for name, value in wanted.headers.items()}
    if any(not value.isascii() or not value.isprintable() for value in headers.values()):
        raise Permanent(f"{' '.join(wanted.request)}: what has to stand in a header is nothing that one could carry")
    query, body = placeholders.filled(wanted.query, values), placeholders.filled(wanted.body, values)
    return Sent(query, body, placeholders.filled(wanted.form, values), headers)


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
        self._password = self._by_password()
        self._renewing = asyncio.Lock()

    def _own_client(self) -> httpx.AsyncClient:
        values = self._system.values
        return make_client(
            placeholders.address(self._api.base, values),
            {},
            timeout_seconds=values["timeout_seconds"],
            ca_file=values["ca_file"],
        )

    def _by_password(self) -> httpx.Auth | None:
        auth, values = self._api.auth, self._system.values
        if not isinstance(auth, BasicLogin):
            return None
        user, password = placeholders.address(auth.user, values), placeholders.address(auth.password, values)
        return httpx.DigestAuth(user, password) if auth.by == "digest" else httpx.BasicAuth(user, password)

    async def ask(self, method: str, path: str, sent: Sent, *, write: bool = False) -> tuple[Any, Response]:
        """Send one request; return the answer's JSON, None where there is none. Raises ConnectorError."""
        used, auth = self._token, self._api.auth
        form = None if sent.form is None else placeholders.parameters(sent.form)
        wanted: dict[str, Any] = {"json": sent.body, "form": form, "write": write, "auth": self._password}
        renewed = auth if isinstance(auth, ClientCredentials | LogIn) else None
        accept = self._statuses | ({401} if renewed else set())
        headers, params = await self._proven(sent)
        response = await call(self._client, method, path, headers=headers, params=params, accept=accept, **wanted)
        if renewed is not None and self._refused(response):
            await self._renew(renewed, used or self._token)
            headers, params = await self._proven(sent)
            wanted |= {"headers": headers, "params": params, "accept": self._statuses}
            response = await call(self._client, method, path, **wanted)
        return self._judged(f"{method} {path}", response, write=write), response

    async def read(self, wanted: Ask, values: Mapping[str, Any], *, write: bool = False) -> Any:
        """Send a request that reads; return the answer's JSON. Raises ConnectorError."""
        method, path = wanted.request
        return (await self.ask(method, placeholders.path(path, values), sent(wanted, values), write=write))[0]

    async def write(self, write: Write, values: Mapping[str, Any]) -> Any:
        """Send a request that writes, after those before it; return the answer's JSON. Raises ConnectorError."""
        for step in write.steps:
            found = sought(step.value, await self.read(step, values, write=step.post is not None))
            if found is None:
                raise Permanent(f"{' '.join(step.request)}: the answer has nothing at {step.value.text}")
            values = {**values, step.name: found}
        method, path = write.request
        return (await self.ask(method, placeholders.path(path, values), sent(write, values), write=True))[0]

    def _refused(self, response: Response) -> bool:
        """Return whether an answer says that the token is not taken."""
        rules = [rule for rule in self._api.error if rule.means == "log-in" and response.status in rule.status]
        try:
            answer = read_json(response.body) if rules and response.body.strip() else None
        except MalformedPayload:
            answer = None
        said = any(rule.when is None or holds(rule.when, answer) for rule in rules)
        return said or response.status == httpx.codes.UNAUTHORIZED

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
        holding = f", in which {rule.when.text} holds" if rule.when else ""
        message = f"{what}: answered {response.status}{holding}"
        match rule.means:
            case "not-found":
                return TicketNotFound(message)
            case "permanent" | "log-in":
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

    async def _proven(self, sent: Sent) -> tuple[dict[str, str], dict[str, Any] | None]:
        """Return the headers and parameters of a request, which prove who asks; None leaves the path's own alone."""
        values, auth = self._system.values, self._api.auth
        if isinstance(auth, ClientCredentials | LogIn):
            if self._token is None:
                await self._renew(auth, None)
            values = {**values, "session": self._token}
        headers = {name: placeholders.address(value, values) for name, value in self._api.headers.items()}
        if not isinstance(auth, BasicLogin) and auth.sends:
            headers[auth.header] = placeholders.address(auth.value, values)
        params = placeholders.parameters({**placeholders.filled(self._api.query, values), **sent.query})
        return headers | dict(sent.headers), params or None

    async def _renew(self, auth: ClientCredentials | LogIn, used: str | None) -> None:
        """Ask for a new token, unless another request has done so since `used` was."""
        async with self._renewing:
            if self._token is not None and self._token != used:
                return
            if isinstance(auth, LogIn):
                self._token = await logged_in(self._client, auth, self._system.values)
            elif auth.grant == "refresh_token":
                self._token = await self._rotated(auth, used or "")
            else:
                self._token = (await asked_for(self._client, auth, self._system.values, {})).access

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
            given = {"refresh_token": known.refresh if known else first}
            fresh = await asked_for(self._client, auth, self._system.values, given)
        except Spent:
            other = await self.tokens.spent(self._source, login, known.access if known else "")
            if other is None:
                raise LogInAgain(self._source) from None
            return other.access
        except ConnectorError:
            await self.tokens.release(self._source, login)
            raise
        await self.tokens.store(self._source, login, fresh)
        return fresh.access

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
