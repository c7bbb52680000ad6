"""We ask nobody but the configured system: no address in a delivery or an answer is ever visited."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from agent.app import Parts, create_app
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from connectors.errors import ConnectorError, Permanent
from connectors.http import make_client
from tests.serving_app import Running
from tests.stubs.server import Asked, Reply, serving

pytestmark = pytest.mark.anyio

SECRET = "a-secret-for-tests-only"
TOKEN = "token-of-the-tests"


@pytest.fixture
def trap() -> Iterator[tuple[str, list[Asked]]]:
    """A server that nobody may ask, and what it was asked."""
    asked: list[Asked] = []

    def answer(request: Asked) -> Reply:
        asked.append(request)
        return Reply(200, {"id": 7, "user": 2})

    with serving(answer) as url:
        yield url, asked


def ticket(trap: str) -> dict[str, Any]:
    """A ticket that names the trap wherever something can be named."""
    lure = f"{trap}/x <img src='{trap}/img'> [link]({trap}/md) file://{trap} VPN down"
    followup = {
        "id": 1, "ticket": 1, "user": 3, "comment": lure, "public": True, "new_status": None, "title": lure,
        "date": "2026-01-05T08:00:00Z", "attachments": [{"file": f"{trap}/file"}], "email_recipients": [trap],
    }  # fmt: skip
    return {
        "id": 1, "queue": 1, "title": lure, "description": lure, "status": 1, "followup_set": [followup],
        "url": trap, "next": trap, "callback": f"{trap}/callback", "submitter_email": f"a@{trap.removeprefix('http://')}",
    }  # fmt: skip


def settings(url: str) -> DjangoHelpdeskSettings:
    return DjangoHelpdeskSettings(url=url, token=TOKEN, author_id="2", webhook_secrets=(SECRET,))


@asynccontextmanager
async def serving_app(parts: Parts, connector: DjangoHelpdesk) -> AsyncIterator[Running]:
    app = create_app(parts, {connector.source: connector}, ("false",))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rolecall") as client,
    ):
        yield Running(parts, client, connector)  # type: ignore[arg-type]


async def test_no_address_in_a_delivery_or_an_answer_is_visited(
    parts_for: Callable[..., Parts], trap: tuple[str, list[Asked]]
) -> None:
    url, asked = trap
    posted: list[Asked] = []

    def helpdesk(request: Asked) -> Reply:
        if request.method == "POST":
            posted.append(request)
            return Reply(201, {"id": 9, "user": 2, "url": url}, {"Location": url, "Link": f'<{url}>; rel="next"'})
        page = {"count": 1, "next": f"{url}/next", "results": [ticket(url)]}
        whole = request.path.rstrip("/").rpartition("/")[2].isdigit()
        return Reply(200, ticket(url) if whole else page, {"Content-Location": url, "Refresh": f"0; url={url}"})

    parts = parts_for(triage={"silent_below": 0.1}, work={"settle_seconds": 0.1, "poll_seconds": 0.2})
    lures = {"X-Forwarded-Host": url, "Referer": url, "Origin": url, "X-Callback-Url": url, "Host": url[7:]}
    with serving(helpdesk) as desk:
        async with serving_app(parts, DjangoHelpdesk("django-helpdesk", settings(desk))) as server:
            body = json.dumps({"ticket": ticket(url), "queue_slug": url, "callback": url})
            path = f"/hooks/django-helpdesk/{SECRET}"
            answer = await server.client.post(path, content=body, headers=lures, params={"url": url})
            assert answer.status_code == 202
            await server.idle()
    assert len(posted) == 1
    assert asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_fault_and_is_not_followed(trap: tuple[str, list[Asked]], status: int) -> None:
    url, asked = trap
    with serving(lambda _: Reply(status, {}, {"Location": f"{url}/elsewhere"})) as desk:
        connector = DjangoHelpdesk("django-helpdesk", settings(desk))
        for call in (connector.read_ticket("1"), connector.post_comment("1", "x"), connector.check()):
            with pytest.raises(Permanent, match="redirect"):
                await call
        await connector.aclose()
    assert asked == []


async def test_a_client_that_follows_redirects_falls_into_the_trap(trap: tuple[str, list[Asked]]) -> None:
    """The control: it even hands over what was to be posted."""
    url, asked = trap
    with serving(lambda _: Reply(307, {}, {"Location": f"{url}/elsewhere"})) as desk:
        client = make_client(desk, {}, timeout_seconds=5)
        client.follow_redirects = True
        connector = DjangoHelpdesk("django-helpdesk", settings(desk), client)
        try:
            await connector.post_comment("1", "x")
        except ConnectorError:
            pass
        finally:
            await connector.aclose()
    assert [request.path for request in asked] == ["/elsewhere"]


def test_a_token_is_not_sent_through_a_network_in_clear_unless_told() -> None:
    with pytest.raises(ValidationError, match="allow_http"):
        settings("http://helpdesk.example")
    told = DjangoHelpdeskSettings(
        url="http://helpdesk:8000", token=TOKEN, author_id="2", webhook_secrets=(SECRET,), allow_http=True
    )
    assert told.url == "http://helpdesk:8000"
    assert TOKEN not in repr(told)
