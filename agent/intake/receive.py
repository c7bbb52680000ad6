"""`POST /hooks/{source}`: one delivery from raw bytes to an acknowledgement that holds after a power cut.

| answer | when |
|---|---|
| 202 | events kept, durably |
| 200 | everything in it is known already, nothing in it concerns Rolecall, or it is a challenge, which is answered |
| 400 | authentic, but not in the documented form |
| 401 | not authentic, or an unknown source: the answer does not say which |
| 408, 413 | the body came too slowly, or is too large |
| 429 + Retry-After | the source is faster than its rate, and its sender repeats refused webhooks |
| 503 + Retry-After | the disk is slow, nearly full, or cannot be written |

One policy serves every connector: all senders take any 2xx for success and anything else for failure; some (Standard
Webhooks) also slow down at 429 and 503, and give up for good at 410, which is never sent. 3xx is not sent either: some
senders follow it without the body.

The order of the checks limits what an unauthenticated request can cost. Too large a head is refused before routing
(431, `agent.web.protection`), too large or slow a body while it is read; a wrong signature ends it after one hash over
the body, with nothing parsed, stored, or taken from the source's rate. Limiting the number of such requests is left to
the proxy in front: here every address is the proxy's.

Every delivery is counted, timed and logged in one line.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import NamedTuple

import structlog
from prometheus_client import Counter
from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from agent.config.settings import IntakeSettings
from agent.intake.group_commit import GroupCommit, Overloaded
from agent.intake.rate import Bucket
from agent.metrics import Metrics
from agent.store.arrivals import Arrival, Trace, untraced
from agent.store.database import UNUSABLE, why
from agent.store.tables import utcnow
from agent.web.protection import declared_too_large
from connectors.base import Connector
from connectors.errors import Challenged, InvalidSignature, MalformedPayload
from connectors.events import Delivery

RETRY_AFTER_SECONDS = 5
UNKNOWN = "unknown"
_NO_PARAMETERS = QueryParams()

log = structlog.get_logger()


class TooFast(Exception):
    """The source exceeds its rate; it may send again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too fast by {seconds:.3f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Receiver:
    """The endpoint with its collaborators, an ASGI application."""

    connectors: Mapping[str, Connector]
    commit: GroupCommit
    buckets: Mapping[str, Bucket]
    limits: IntakeSettings
    summary: Summary
    trace: Trace = untraced
    public_url: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery."""
        began = time.perf_counter()
        source = scope["path_params"]["source"]
        response = await self._receive(scope, receive, source)
        await (response.answer or _plain(response.status, response.reason, response.pause))(scope, receive, send)
        self.summary.add(source if source in self.connectors else UNKNOWN, response, time.perf_counter() - began)

    async def _receive(self, scope: Scope, receive: Receive, source: str) -> HookResponse:
        headers = Headers(scope=scope)
        try:
            body = await read_body(headers, receive, self.limits)
            arrivals = self._verify_and_parse(source, delivery_of(scope, headers, body, self.public_url))
            if not arrivals:
                return HookResponse(200, "nothing for Rolecall in this")
            traced, kept = self.trace(arrivals)
            fresh = await self.commit.accept(traced)
            kept(fresh)
        except HTTPException as refusal:
            return HookResponse(refusal.status_code, refusal.detail)
        except Challenged as asked:
            return HookResponse(200, str(asked), answer=Response(asked.content, 200, asked.headers))
        except InvalidSignature:
            return HookResponse(401, "not authentic")
        except TooFast as error:
            return HookResponse(429, "faster than [intake] rate_per_second", pause=ceil(error.seconds))
        except MalformedPayload as error:
            return HookResponse(400, str(error))
        except Overloaded as error:
            return HookResponse(503, f"cannot keep this now: {error}", pause=RETRY_AFTER_SECONDS)
        except UNUSABLE as error:
            return HookResponse(503, f"cannot keep this now: {why(error)}", pause=RETRY_AFTER_SECONDS)
        return HookResponse(202, "kept", sum(fresh)) if any(fresh) else HookResponse(200, "known already")

    def _verify_and_parse(self, source: str, delivery: Delivery) -> list[Arrival]:
        if (connector := self.connectors.get(source)) is None:
            raise InvalidSignature("unknown source")
        connector.verify(delivery)
        if (bucket := self.buckets.get(source)) and (seconds := bucket.take(time.monotonic())):
            raise TooFast(seconds)
        now = utcnow()
        return [Arrival(source, event, delivery.body, now) for event in connector.parse(delivery)]


@lru_cache(64)
def _plain(status: int, reason: str, pause: int) -> PlainTextResponse:
    """Return the response, built once for the few that are sent most: building costs more than sending."""
    return PlainTextResponse(f"{reason}\n", status, {"Retry-After": str(pause)} if pause else None)


def delivery_of(scope: Scope, headers: Headers, body: bytes, public_url: str | None) -> Delivery:
    """Return a request as what it is before anything in it is trusted; a proxy may have changed its address."""
    query = scope["query_string"].decode("latin-1")
    origin = public_url or f"{scope['scheme']}://{headers.get('host', '')}"
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    url = f"{origin}{path}{'?' if query else ''}{query}"
    segment = scope["path_params"].get("segment", "").rstrip("/")
    return Delivery(headers, body, segment, scope["method"], url, QueryParams(query) if query else _NO_PARAMETERS)


async def read_body(headers: Headers, receive: Receive, limits: IntakeSettings) -> bytes:
    """Read the body within the limits. Raises HTTPException 408, 413 or 400."""
    too_large = f"larger than {limits.max_body_bytes} bytes"
    if declared_too_large(headers, limits.max_body_bytes):
        raise HTTPException(413, too_large)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_timeout_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise HTTPException(400, "the body ended early")
                body += message.get("body", b"")
                if len(body) > limits.max_body_bytes:
                    raise HTTPException(413, too_large)
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise HTTPException(408, "the body came too slowly") from None


class HookResponse(NamedTuple):
    """HTTP status, one line of reason, new events, seconds that the sender should wait (0: none), another answer."""

    status: int
    reason: str
    events: int = 0
    pause: int = 0
    answer: Response | None = None


class Summary:
    """Counts deliveries and logs a line about each.

    The lines of all deliveries answered in one iteration of the event loop are written together: written one by one,
    they cost a sixth of the throughput.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._counters: dict[tuple[str, int], Counter] = {}
        self._answered: list[tuple[str, HookResponse]] = []

    def add(self, source: str, response: HookResponse, seconds: float) -> None:
        """Record a delivery that was answered after `seconds`. `source` comes from a closed set."""
        counter = self._counters.get((source, response.status))
        if counter is None:  # looking it up among the metric's own labels costs more than counting
            counter = self._counters[source, response.status] = self._metrics.deliveries.labels(source, response.status)
        counter.inc()
        if response.status < 300:
            self._metrics.acknowledgement.observe(seconds)
        if not self._answered:
            asyncio.get_running_loop().call_soon(self._write)
        self._answered.append((source, response))

    def _write(self) -> None:
        answered, self._answered = self._answered, []
        for source, told in answered:
            log.info("delivery", source=source, status=told.status, reason=told.reason, events=told.events)
