"""Errors in an answer that says 200, as GraphQL has them, by the rules of a manifest."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from connectors.errors import Ambiguous, Permanent, TicketNotFound, Transient
from connectors.manifest.catalogue import document_of
from tests.connectors.systems.installed import installed
from tests.shared import Late

graphql = Late("graphql")

pytestmark = pytest.mark.anyio


def answer(status: int, code: str, message: str = "no", **headers: str) -> httpx.Response:
    body = {"data": None, "errors": [{"message": message, "extensions": {"code": code}}]}
    return httpx.Response(status, json=body, headers=headers)


def texts(value: Any) -> list[str]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in texts(each)] + ([value] if isinstance(value, str) else [])


def test_every_request_of_linear_is_graphql() -> None:
    requests = [text for text in texts(document_of("linear")) if text.startswith(("query", "mutation"))]
    assert len(requests) >= 10
    for text in requests:
        graphql.parse(text)


@pytest.mark.parametrize(
    ("given", "reading", "writing"),
    [
        (answer(200, "INPUT_ERROR", "Entity not found: Issue"), TicketNotFound, TicketNotFound),
        (answer(400, "INPUT_ERROR", "Entity not found: Issue"), TicketNotFound, TicketNotFound),
        (answer(200, "FORBIDDEN"), Permanent, Permanent),
        (answer(200, "INTERNAL_SERVER_ERROR"), Transient, Ambiguous),
        (answer(400, "GRAPHQL_VALIDATION_FAILED"), Permanent, Permanent),
        (httpx.Response(200, json={"data": {"commentCreate": {"success": False, "comment": None}}}), None, Permanent),
    ],
)
async def test_an_error_is_taken_as_what_it_is(
    given: httpx.Response, reading: type[Exception] | None, writing: type[Exception]
) -> None:
    linear = installed("linear")
    ticket, connector = linear.fake.name(linear.fake.file("Pump 7 leaks").id), linear.connect()
    for expected, call in ((reading, connector.read_ticket(ticket)), (writing, connector.post_comment(ticket, "Role"))):
        linear.fake.failures = [given]
        if expected is None:
            call.close()
            continue
        with pytest.raises(expected) as caught:
            await call
        assert type(caught.value) is expected


async def test_a_limit_is_waited_for_until_the_time_in_milliseconds_that_the_answer_names() -> None:
    linear = installed("linear")
    reset = str(int((time.time() + 90) * 1000))
    linear.fake.failures = [answer(400, "RATELIMITED", **{"x-ratelimit-requests-reset": reset})]
    with pytest.raises(Transient) as caught:
        await linear.connect().read_ticket(linear.fake.name(4711))
    assert caught.value.retry_after is not None
    assert 60 < caught.value.retry_after <= 90
