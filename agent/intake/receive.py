"""`POST /hooks/{source}`: one delivery from raw bytes to an acknowledgement that holds after a power cut.

| answer | when |
|---|---|
| 202 | events kept, durably |
| 200 | everything in it is known already, or it is about nothing of ours |
| 400 | authentic, but not in the documented form |
| 401 | not authentic, or an unknown source: the answer does not tell which |
| 408, 413 | the body came too slowly, or is too large |
| 503 + Retry-After | the disk cannot keep up, or cannot be written |
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from agent.intake.group_commit import GroupCommit, Overloaded
from agent.metrics import Metrics
from agent.settings import IntakeSettings
from agent.store.arrivals import Arrival
from agent.store.tables import utcnow
from connectors.base import Connector
from connectors.errors import InvalidSignature, MalformedPayload
from connectors.events import Delivery

RETRY_AFTER_SECONDS = "5"
UNKNOWN = "unknown"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Receiver:
    """The endpoint with its collaborators."""

    connectors: Mapping[str, Connector]
    commit: GroupCommit
    limits: IntakeSettings
    metrics: Metrics

    async def receive(self, request: Request) -> Response:
        """Answer one delivery and count it; log one line about it."""
        source = request.path_params["source"]
        known = source if source in self.connectors else UNKNOWN
        status, reason, events = await self._receive(request, source)
        self.metrics.deliveries.labels(known, status).inc()
        log.info("delivery", source=known, status=status, reason=reason, events=events)
        headers = {"Retry-After": RETRY_AFTER_SECONDS} if status == 503 else None
        return PlainTextResponse(f"{reason}\n", status, headers)

    async def _receive(self, request: Request, source: str) -> tuple[int, str, int]:
        try:
            body = await read_body(request, self.limits)
            arrivals = self._verify_and_parse(
                source, Delivery(request.headers, body, request.path_params.get("secret", ""))
            )
            if not arrivals:
                return 200, "nothing for Rolecall in this", 0
            fresh = await self.commit.accept(arrivals)
        except HTTPException as refusal:
            return refusal.status_code, refusal.detail, 0
        except InvalidSignature:
            return 401, "not authentic", 0
        except MalformedPayload as error:
            return 400, str(error), 0
        except (Overloaded, OperationalError) as error:
            log.warning("intake_refused", error=type(error).__name__)
            return 503, "cannot keep this now", 0
        return (202, "kept", sum(fresh)) if any(fresh) else (200, "known already", 0)

    def _verify_and_parse(self, source: str, delivery: Delivery) -> list[Arrival]:
        connector = self.connectors.get(source)
        if connector is None:
            raise InvalidSignature("unknown source")
        connector.verify(delivery)
        now = utcnow()
        return [Arrival(source, event, delivery.body, now) for event in connector.parse(delivery)]


async def read_body(request: Request, limits: IntakeSettings) -> bytes:
    """Read the body within the limits. Raises HTTPException 408, 413 or 400."""
    too_large = HTTPException(413, f"larger than {limits.max_body_bytes} bytes")
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length) > limits.max_body_bytes:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_timeout_seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limits.max_body_bytes:
                    raise too_large
                chunks.append(chunk)
    except TimeoutError:
        raise HTTPException(408, "the body came too slowly") from None
    except ClientDisconnect:
        raise HTTPException(400, "the body ended early") from None
    return b"".join(chunks)
