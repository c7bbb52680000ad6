"""Every route of the assembled server asks who is there, but for a closed list; every answer has its headers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route

from agent.app import Parts, create_app
from agent.model_api.web.access import NO_KEY, ModelApiRoute
from agent.pages.routes import CALLS, SLASHED
from agent.programs.access import NO_TOKEN, ProgramsRoute
from agent.web.protection import NOTHING
from tests.desk import Desk

pytestmark = pytest.mark.anyio

KEY = "a key of sixteen or more characters"
PUBLIC = {
    "/healthz": "whether the process lives, for whatever restarts it",
    "/readyz": "whether it can do its job, in numbers, for load balancers",
    "/metrics": "numbers, for Prometheus",
    "/health": "as /healthz, where clients of the model API look",
    "/docs": "the API's documentation, the same in every installation",
    "/openapi.json": "likewise",
    "/static-offline-docs": "the files of Swagger UI",
    "/api/openapi.json": "the description of what programs may call, the same in every installation",
}
PAGES = {re.sub(r"\{[^}]+\}", "x", call.path) for call in (*CALLS, *SLASHED)} | {"/static/x"}
"""Pages for people, and their files: who may what is tests/agent/pages/test_who_may_what.py."""

NOWHERE = "/x"
"""The route of whatever no other one has: it is not found."""

OWN_PROOF = "/hooks/"
"""Deliveries prove themselves by a secret or a signature: agent.intake.receive. A HEAD is told that we are there."""

Made = Callable[..., Starlette]


@pytest.fixture
def make(parts_for: Callable[..., Parts], desk: Desk) -> Made:
    def make(*more: BaseRoute) -> Starlette:
        app = create_app(parts_for(api={"key": KEY}), {desk.source: desk}, ("false",))
        app.router.routes += more
        return app

    return make


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rolecall")


def walk(routes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route, those of included routers too; fail on a kind that has neither."""
    for route in routes:
        if included := getattr(route, "original_router", None):  # FastAPI's
            yield from walk(included.routes)
        elif isinstance(route, ModelApiRoute | ProgramsRoute):
            yield from walk(getattr(route.app, "routes"))  # noqa: B009 - an ASGI application has none, FastAPI has
        elif isinstance(route, Mount):
            assert not route.routes, "what is mounted would need a walk of its own"
            yield "GET", f"{route.path}/anything"
        else:
            for method in sorted(route.methods):
                yield method, re.sub(r"\{[^}]+\}", "x", route.path)


def every(app: Starlette) -> list[tuple[str, str]]:
    return list(walk(app.routes))


def is_public(path: str) -> bool:
    return path in PUBLIC or path.startswith("/static-offline-docs/")


async def open_to_strangers(app: Starlette) -> list[str]:
    """Return what answers without a key although it is not on the list."""
    async with client_of(app) as client:
        found = []
        for method, path in every(app):
            answer = await client.request(method, path)
            is_only_there = path.startswith(OWN_PROOF) and (method, answer.content) == ("HEAD", b"")
            is_only_there |= (path, answer.status_code) == (NOWHERE, 404)
            if not is_public(path) and path not in PAGES and not is_only_there and answer.status_code != 401:
                found.append(f"{method} {path} {answer.status_code}")
        return found


async def test_every_route_but_a_closed_list_refuses_strangers(make: Made) -> None:
    app = make()
    routes = every(app)
    assert ("POST", "/v1/train") in routes
    assert ("POST", "/hooks/x/x") in routes
    assert len(routes) > 20
    assert await open_to_strangers(app) == []


async def test_a_route_that_was_forgotten_is_noticed(make: Made) -> None:
    """The control."""
    app = make(Route("/everything", lambda _: PlainTextResponse("all tickets")))
    assert await open_to_strangers(app) == ["GET /everything 200", "HEAD /everything 200"]


async def test_what_only_programs_ask_is_made_when_one_asks(make: Made) -> None:
    app = make()
    late = [route for route in app.routes if isinstance(route, ModelApiRoute | ProgramsRoute)]
    async with client_of(app) as client:
        await client.get("/healthz")
        assert [vars(route).keys() & {"app"} for route in late] == [set(), set()]
        await client.get("/v1/models")
        await client.get("/api/account")
    assert [vars(route).keys() & {"app"} for route in late] == [{"app"}, {"app"}]


UNKNOWN_OF_THE_API = (
    *("/v1", "/v1/", "/v1/nothing", "/v1/models/", "/v1/%2e%2e/health/", "/%761/nothing", "/v1//models"),
)
UNKNOWN = (
    *("/admin", "/redoc", "/static-offline-docs", "/v2/models", "/v1models", "/V1/models"),
    *("/docs/", "/docs/oauth2-redirect", "/health/", "/health/x", "/healthz/", "/openapi.json/", "/metrics/"),
    *("/hooks", "/hooks/", "/predict", "/train", "/..%2fv1/models"),
)
METHODS = ("GET", "HEAD", "POST", "OPTIONS")


@pytest.mark.parametrize("path", UNKNOWN_OF_THE_API)
async def test_what_the_api_does_not_know_asks_for_the_key_first(make: Made, path: str) -> None:
    async with client_of(make()) as client:
        for method in METHODS:
            answer = await client.request(method, path)
            assert (answer.status_code, answer.text) == (
                401,
                "" if method == "HEAD" else json.dumps({"detail": NO_KEY}),
            )
            assert (await client.request(method, path, headers={"X-API-Key": KEY})).status_code == 404


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api//tickets", "/%61pi/x", "/api/openapi.json/"])
async def test_what_programs_cannot_call_asks_for_the_token_first(make: Made, path: str) -> None:
    async with client_of(make()) as client:
        for key in ({}, {"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
            answer = await client.get(path, headers=key)
            assert (answer.status_code, answer.json()) == (401, {"detail": NO_TOKEN})


@pytest.mark.parametrize("path", UNKNOWN)
async def test_what_nobody_knows_is_not_found_whoever_asks_and_says_nothing_of_keys(make: Made, path: str) -> None:
    async with client_of(make()) as client:
        for method in METHODS:
            for key in ({}, {"X-API-Key": KEY}):
                answer = await client.request(method, path, headers=key)
                assert (answer.status_code, answer.text) == (404, "" if method == "HEAD" else "Not Found")
                assert "www-authenticate" not in answer.headers
                assert "location" not in answer.headers
                if not path.startswith(OWN_PROOF):
                    assert dict(answer.headers) | SAFE == dict(answer.headers)
        if not path.startswith(OWN_PROOF):
            page = await client.get(path, headers={"Accept": "text/html"})
            assert (page.status_code, "No page here" in page.text) == (404, True)
            assert dict(page.headers) | SAFE == dict(page.headers)
            assert not {"www-authenticate", "location"} & page.headers.keys()


async def test_no_address_redirects_not_even_with_another_slash(make: Made, desk: Desk) -> None:
    """A redirect would repeat a hook's secret, in an address made of the Host header."""
    app = make()
    paths = {path for _, path in every(app)} | {f"/hooks/{desk.source}/{desk.secret}", "/static-offline-docs", "/"}
    async with client_of(app) as client:
        for path in sorted({*paths, *(f"{p}/" for p in paths), *(f"/{p}" for p in paths)}):
            for method in ("GET", "POST"):
                for key in ({}, {"X-API-Key": KEY}):
                    answer = await client.request(method, path, headers={"Host": "elsewhere.test", **key})
                    if method == "GET" and (
                        answer.request.url.path in PAGES or path.startswith(("/tickets/", "/summaries/"))
                    ):
                        assert answer.headers.get("location", "/sign-in").startswith("/sign-in"), path
                        continue
                    assert not answer.is_redirect, f"{method} {path}"
                    assert "location" not in answer.headers, f"{method} {path}"


async def test_the_list_of_what_is_public_names_what_exists(make: Made) -> None:
    async with client_of(make()) as client:
        for path in PUBLIC.keys() - {"/static-offline-docs"}:
            assert (await client.get(path)).status_code == 200, path


async def test_every_answer_has_its_headers_and_no_cookie(make: Made) -> None:
    """Without cookies a browser sends nothing by itself that proves anything: there is no request to forge."""
    app = make()
    async with client_of(app) as client:
        for key in ({}, {"X-API-Key": KEY}):
            for method, path in every(app):
                answer = await client.request(method, path, headers={**key, "Origin": "https://elsewhere.test"})
                told = f"{method} {path} {answer.status_code}"
                cookies = answer.headers.get_list("set-cookie") if path in PAGES else []
                assert ("set-cookie" in answer.headers) == bool(cookies), told
                assert all("HttpOnly" in cookie and "SameSite=lax" in cookie for cookie in cookies), told
                assert "access-control-allow-origin" not in answer.headers, told
                if not path.startswith(OWN_PROOF):
                    assert dict(answer.headers) | SAFE == dict(answer.headers), told
                    assert "unsafe" not in answer.headers["content-security-policy"], told
                    if path != "/docs" and path not in PAGES:
                        assert answer.headers["content-security-policy"] == NOTHING, told


SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


async def test_numbers_and_health_say_nothing_of_tickets_or_secrets(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    from tests.serving_app import running

    parts = parts_for(api={"key": KEY})
    async with running(parts, desk) as server:
        await server.deliver(desk.create("zebra-striped VPN", "the walrus cannot log in"))
        await server.client.post("/hooks/okapi/gnu-secret", content=b"[]")
        await server.idle()
        told = "".join(
            [(await server.client.get(path)).text for path in ("/metrics", "/readyz", "/healthz", "/health")]
        )
    assert "rolecall_deliveries_total" in told
    for word in ("zebra", "walrus", "okapi", "gnu-secret", desk.secret, KEY, str(parts.directory.path)):
        assert word not in told
