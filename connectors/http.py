"""HTTP requests to a ticketing system: its address, one client, and failures as the errors of `connectors.errors`.

The base URL comes from the settings only, and nothing in a payload or a response can change where the next request
goes: redirects are refused, proxies and netrc of the environment are ignored.
Source: OWASP Server-Side Request Forgery Prevention Cheat Sheet.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any

import httpx

from connectors.errors import Ambiguous, ConnectorError, Permanent, TicketNotFound, Transient

CONNECT_SECONDS = 5.0
DEADLINE_FACTOR = 3
"""A whole request may take this many times the time-out of one of its phases: a response that trickles has to end."""

MAX_ANSWER_BYTES = 32 * 1024 * 1024
LONGEST_RETRY_AFTER = 86_400.0
DEEPEST_CAUSE = 8

may_write: ContextVar[Callable[[], bool]] = ContextVar("may_write", default=lambda: True)
"""Called just before a write is sent: a server that was suspended may have been replaced by another meanwhile."""

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NEVER_VALID = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


@dataclass(frozen=True, slots=True)
class Response:
    """A complete HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def make_client(
    base_url: str,
    headers: Mapping[str, str],
    *,
    timeout_seconds: float,
    ca_file: str | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """Build the client of one connector. `timeout_seconds` holds for each phase of a request, connecting has less."""
    return httpx.AsyncClient(
        base_url=base_url,
        headers={"User-Agent": f"rolecall/{version('rolecall')}", "Accept": "application/json", **headers},
        timeout=httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, CONNECT_SECONDS)),
        verify=ssl.create_default_context(cafile=ca_file) if ca_file else True,
        follow_redirects=False,
        trust_env=False,
        transport=transport,
    )


async def call(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    params: Mapping[str, str | int] | None = None,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    auth: httpx.Auth | None = None,
    accept: Collection[int] = (),
    write: bool | None = None,
) -> Response:
    """Send one request and return the response if its status is 2xx or listed in `accept`.

    `write` is False for a POST that only reads, such as a search; without it the method decides.

    Raises Permanent, TicketNotFound or Transient; Ambiguous when a write may have been carried out.
    """
    what = f"{method} {path}"
    write = method not in _READS if write is None else write
    phase = client.timeout.read or CONNECT_SECONDS
    try:
        async with (
            asyncio.timeout(phase * DEADLINE_FACTOR),
            client.stream(
                method,
                path,
                params=params,
                json=json,
                data=form,
                headers=headers,
                auth=auth,
                extensions=_ASK_FIRST if write else None,
            ) as streamed,
        ):
            chunks, size = [], 0
            async for chunk in streamed.aiter_bytes():
                size += len(chunk)
                if size > MAX_ANSWER_BYTES:
                    raise _spoilt(f"{what}: the answer is larger than {MAX_ANSWER_BYTES} bytes", write)
                chunks.append(chunk)
    except (httpx.HTTPError, TimeoutError) as error:
        raise error_of_exception(f"{what} ({client.base_url.host})", error, write=write) from error
    response = Response(streamed.status_code, streamed.headers, b"".join(chunks))
    if 200 <= response.status < 300 or response.status in accept:
        return response
    raise error_of_status(what, response, write=write, now=datetime.now(UTC))


async def _ask_first(step: str, _info: Mapping[str, Any]) -> None:
    """Abort the request before its body is sent, by raising Transient. Called by httpcore."""
    if step.endswith("send_request_body.started") and not may_write.get()():
        raise Transient("not sent: this server was out of touch, and others may have taken its work over")


_ASK_FIRST = {"trace": _ask_first}


def error_of_status(what: str, response: Response, *, write: bool, now: datetime) -> ConnectorError:
    """Return the error for a response whose status is not 2xx."""
    status = response.status
    message = f"{what}: answered {status}"
    retry_after = retry_after_seconds(response.headers.get("retry-after"), now)
    if status == 429 or (status in (403, 503) and retry_after is not None):
        return Transient(message, retry_after)
    if status == 403 and response.headers.get("x-ratelimit-remaining") == "0":
        return Transient(message, until(response.headers.get("x-ratelimit-reset"), now))
    if status in (404, 410):
        return TicketNotFound(message)
    if status == 401:
        return Permanent(f"{message}: the token is not accepted")
    if status == 403:
        return Permanent(f"{message}: the account lacks the right")
    if 300 <= status < 400:
        return Permanent(f"{message}, a redirect: the configured URL is not where the system answers")
    if status >= 500:
        return Ambiguous(message, retry_after) if write else Transient(message, retry_after)
    return Permanent(message)


def error_of_exception(what: str, error: Exception, *, write: bool) -> ConnectorError:
    """Return the error for a request that failed. Without a connection it cannot have been carried out."""
    message = f"{what}: {_in_words(error)}"
    if isinstance(error, _NEVER_VALID):
        return Permanent(message)
    if write and not isinstance(error, _NOTHING_SENT):
        return Ambiguous(message)
    return Transient(message)


def _in_words(error: Exception) -> str:
    """Return what failed, and what to look at. The error's own text is not quoted: it may hold a header."""
    causes = list[BaseException]()
    at: BaseException | None = error
    while at is not None and len(causes) < DEEPEST_CAUSE:
        causes.append(at)
        at = at.__cause__ or at.__context__
    for cause in causes:
        match cause:
            case ssl.SSLCertVerificationError():
                return f"its certificate is not trusted ({cause.verify_message}): ca_file names whose are"
            case ssl.SSLError():
                return "it does not speak TLS there: is the address https, and its port right?"
            case socket.gaierror():
                return "no such name is known here: is the address right, and DNS there?"
            case ConnectionRefusedError():
                return "nothing listens there: is the address right, with its port, and the system up?"
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        return "no connection came about: is the address right, and does a firewall let it pass?"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "no answer came in time"
    if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError):
        return "the connection broke off"
    return type(error).__name__


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3), None if it is absent or unreadable."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_RETRY_AFTER)
    try:
        then = parsedate_to_datetime(value)
        wait = (then if then.tzinfo else then.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None
    return min(max(wait.total_seconds(), 0.0), LONGEST_RETRY_AFTER)


def until(value: str | None, now: datetime) -> float | None:
    """Return the seconds until a Unix time, None if it is absent or unreadable."""
    if value is None or not (value.isascii() and value.isdigit() and len(value) <= 12):
        return None
    return min(max(int(value) - now.timestamp(), 0.0), LONGEST_RETRY_AFTER)


def _spoilt(message: str, write: bool) -> ConnectorError:
    """Return the error for a response that cannot be used although the request was served."""
    return Ambiguous(message) if write else Permanent(message)


METADATA = frozenset({"metadata.google.internal", "metadata.goog", "metadata"})


def base_url(value: str) -> str:
    """Return the address without a slash at the end. Raises ValueError for one that cannot be a system's."""
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        raise ValueError("not a URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("has to begin with http:// or https:// and a host")
    if url.userinfo or url.query or url.fragment:
        raise ValueError("must have no user, query or fragment")
    address = _address(url.host)
    if url.host.rstrip(".").lower() in METADATA or (address and (address.is_link_local or address.is_multicast)):
        raise ValueError("is where clouds keep their machines' credentials, not a ticketing system")
    return value.rstrip("/")


def in_clear(url: str) -> bool:
    """Return whether requests to this address, with the token, cross a network unencrypted."""
    parsed = httpx.URL(url)
    address = _address(parsed.host)
    here = parsed.host == "localhost" or (address is not None and address.is_loopback)
    return parsed.scheme == "http" and not here


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
