"""What the helpdesk's API answers: statuses, headers and bodies that no helpdesk sends."""

# ruff: noqa: PT017 - whether an error comes is up to the input

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

from connectors.base import Change, Field
from connectors.django_helpdesk import DjangoHelpdesk
from connectors.errors import ConnectorError
from connectors.http import LONGEST_RETRY_AFTER, make_client, retry_after_seconds
from connectors.manifest.connector import ManifestConnector
from tests.connectors.systems.installed import kind, settings
from tests.fuzz.target import Target, one_line, text_of
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


KINDS = ("asana", "azure-devops", "intercom", "jira", "linear", "openproject", "redmine", "roundup", "trac", "youtrack")
"""Manifests that between them say all that one can say of requests, pages and answers."""


def manifest_answers(_scratch: Path) -> Target:
    """Every call of connectors made of manifests: a value, or an error of the tree in one line.

    First the kind, the number of the call and the status; what follows is answered to every request.
    """
    answer: list[httpx.Response] = []
    transport = httpx.MockTransport(lambda _: _copy(answer[0]))
    connectors = {}
    for name in KINDS:
        made, given = kind(name), settings(name)
        client = httpx.AsyncClient(base_url="http://127.0.0.1:9/", transport=transport)
        connectors[name] = ManifestConnector(name, "plant", made.manifest, given, client)
    loop = asyncio.new_event_loop()

    def check(data: bytes) -> None:
        head, _, body = data.partition(b"\n")
        name, _, rest = text_of(head).partition(" ")
        call, _, status = rest.partition(" ")
        if name not in connectors:
            return
        answer[:] = [httpx.Response(_status(status.encode("utf-8", "replace")), content=body)]
        number = int(call) if call.isdecimal() and len(call) < 4 else 0
        try:
            loop.run_until_complete(_called(connectors[name], number))
        except ConnectorError as error:
            one_line(str(error))

    rows = {"id": "7", "gid": "7", "number": "7", "subject": "x", "name": "x", "idReadable": "P-7", "updated_on": AT}
    bodies: list[Any] = [{}, [], [{}], None, "x", 0, rows, [rows], {"data": rows}, {"data": [rows]}, {"issue": rows}]
    bodies += [{"issues": [rows]}, {"workItems": [rows]}, {"_embedded": {"elements": [rows]}}, {"result": [[1], []]}]
    bodies += [{"data": {"issues": {"nodes": [rows], "pageInfo": {"endCursor": 1}}}}, {"data": {"issue": rows}}]
    calls = [f"{name} {call}" for name in KINDS for call in range(CALLS)]
    seeds = [f"{call} 200\n{json.dumps(body)}" for call, body in zip(calls, cycle(bodies), strict=False)]
    seeds += [f"{call} {status}\n" for call, status in zip(calls, cycle((204, 302, 404, 429, 500)), strict=False)]
    return Target(check, [seed.encode() for seed in seeds] + [b"jira 0 200\n" + body for body in HOSTILE], loop.close)


CALLS = 11
AT = "2026-11-02T07:14:03Z"


async def _called(connector: ManifestConnector, number: int) -> None:
    ticket = "AB-7" if connector.kind in ("jira", "youtrack") else "7"
    ticket = "5f1c8a52-0c8e-4a57-9d4e-000000000007" if connector.kind == "linear" else ticket
    known = f'{{"told": "{AT}", "since": "{AT}", "seen": {{}}}}'
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: connector.read_ticket(ticket),
        lambda: connector.post_comment(ticket, "text"),
        lambda: connector.edit_comment(ticket, "1", "text"),
        lambda: connector.remove_comment(ticket, "1"),
        connector.check,
        lambda: connector.poll(None),
        lambda: connector.poll(known),
        lambda: connector.history(NOON, None, messages=True),
        lambda: connector.read_moves(ticket),
        lambda: connector.change_ticket(ticket, Change(Field.GROUP, "Grid", None)),
        lambda: connector.change_ticket(ticket, Change(Field.TAG, "role-grid", None)),
    ]
    await calls[number % len(calls)]()
