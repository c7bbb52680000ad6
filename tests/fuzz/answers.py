"""What the helpdesk's API answers: statuses, headers and bodies that no helpdesk sends."""

# ruff: noqa: PT017 - whether an error comes is up to the input

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from connectors.django_helpdesk import DjangoHelpdesk
from connectors.errors import ConnectorError
from connectors.http import LONGEST_RETRY_AFTER, make_client, retry_after_seconds
from tests.fuzz.target import Target, text_of
from tests.fuzz.webhooks import HOSTILE, RECORDED, helpdesk

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WATERMARK = '{"followup": 1, "open": {"1": 1}}'


def api_answers(_scratch: Path) -> Target:
    """Every call of the connector: a value, or an error of the tree. The first byte chooses it, a line the status."""
    answer: list[httpx.Response] = []
    client = make_client(
        "http://127.0.0.1:9/", {}, timeout_seconds=5, transport=httpx.MockTransport(lambda _: _copy(answer[0]))
    )
    connector = helpdesk(client)
    calls = _calls(connector)
    loop = asyncio.new_event_loop()
    watermark = loop.run_until_complete(_first_look(connector, answer))

    def check(data: bytes) -> None:
        head, _, body = data[1:].partition(b"\n")
        status, _, retry_after = head.partition(b" ")
        answer[:] = [httpx.Response(_status(status), headers={"Retry-After": retry_after}, content=body)]
        try:
            loop.run_until_complete(calls[(data or b"\0")[0] % len(calls)](watermark))
        except ConnectorError as error:
            assert "\n" not in str(error)
            assert len(str(error)) < 1_200

    rows = [json.loads(body)["ticket"] for body in RECORDED]
    bodies = [json.dumps(row) for row in rows] + [
        json.dumps(row["followup_set"][-1]) for row in rows if row["followup_set"]
    ]
    bodies += [json.dumps({"count": len(rows), "results": rows})]
    bodies += [json.dumps({"count": 1, "results": row["followup_set"]}) for row in rows]
    seeds = [f"{call}200 \n{body}".encode() for call in range(len(calls)) for body in bodies]
    seeds += [
        f"{call}{status} 5\n".encode() for call in range(len(calls)) for status in (302, 400, 401, 404, 429, 500, 503)
    ]
    return Target(check, seeds + [b"0200 \n" + body for body in HOSTILE], loop.close)


def _calls(connector: DjangoHelpdesk) -> list[Callable[[str], Awaitable[Any]]]:
    return [
        lambda _: connector.read_ticket("1"),
        lambda _: connector.post_comment("1", "text"),
        lambda _: connector.edit_comment("1", "1", "text"),
        lambda _: connector.remove_comment("1", "1"),
        lambda _: connector.check(),
        lambda _: connector.poll(None),
        lambda watermark: connector.poll(watermark),
    ]


async def _first_look(connector: DjangoHelpdesk, answer: list[httpx.Response]) -> str:
    answer[:] = [httpx.Response(200, json={"count": 0, "results": []})]
    return (await connector.poll(None)).watermark


def _copy(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def _status(given: bytes) -> int:
    return int(given) if given.isdigit() and 200 <= int(given[:4]) < 600 else 200


def retry_after(_scratch: Path) -> Target:
    """A Retry-After header: seconds within the bounds, or nothing."""

    def check(data: bytes) -> None:
        seconds = retry_after_seconds(text_of(data), NOON)
        assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER

    dates = (b"Sun, 22 Nov 2026 12:05:00 GMT", b"Sunday, 22-Nov-26 12:05:00 GMT", b"Sun Nov 22 12:05:00 2026")
    return Target(check, [b"120", b"-1", b"1e9", "١٢".encode(), b"Sun, 22 Nov 2026 12:05:00 +9999", b"0 (", *dates])
