"""Each page and form, called by nobody, a viewer, a reviewer, an operator and somebody whose session has expired."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from agent.core import Parts
from agent.pages.guard import Call, Visit, local
from agent.pages.routes import CALLS
from agent.pages.signing.rights import Rights
from tests.agent.pages.conftest import signed_in
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

V, R, O = Rights.VIEWER, Rights.REVIEWER, Rights.OPERATOR  # noqa: E741 - one column each
MAY: dict[tuple[str, str], tuple[Rights, ...] | None] = {
    ("GET", "/sign-in"): None,
    ("POST", "/sign-in"): None,
    ("GET", "/sign-in/{token}"): None,
    ("POST", "/sign-in/{token}"): None,
    ("GET", "/oidc"): None,
    ("GET", "/oidc/back"): None,
    ("POST", "/sign-out"): None,
    ("GET", "/l/{token}/{choice}"): None,
    ("POST", "/l/{token}"): None,
    ("GET", "/"): (V, R, O),
    ("GET", "/tickets/{helpdesk}/{number:path}"): (V, R, O),
    ("POST", "/tickets/{helpdesk}/{number:path}"): (R, O),
    ("POST", "/notes/{helpdesk}/{number:path}"): (R, O),
    ("POST", "/subjects/{helpdesk}/{number:path}"): (R, O),
    ("GET", "/summaries/{helpdesk}/{number:path}"): (V, R, O),
    ("GET", "/review"): (R, O),
    ("POST", "/review"): (R, O),
    ("GET", "/search"): (V, R, O),
    ("GET", "/report"): (V, R, O),
    ("POST", "/report"): (O,),
    ("GET", "/report/{week}"): (V, R, O),
    ("GET", "/roles"): (V, R, O),
    ("POST", "/roles"): (O,),
    ("GET", "/rules"): (V, R, O),
    ("POST", "/rules"): (V, R, O),
    ("GET", "/status"): (V, R, O),
    ("POST", "/status"): (O,),
    ("GET", "/models"): (V, R, O),
    ("POST", "/models"): (O,),
    ("GET", "/account"): (V, R, O),
    ("POST", "/account"): (V, R, O),
    ("GET", "/users"): (O,),
    ("POST", "/users"): (O,),
    ("GET", "/log"): (O,),
}
"""Who may make each call; None: anybody. A call that is not here fails the first test."""


def test_the_table_knows_every_call() -> None:
    assert [(call.method, call.path) for call in CALLS] == list(MAY)


async def test_each_call_by_everybody_gives_what_the_table_says(parts: Parts, desk: Desk) -> None:
    """Pages send strangers to the sign-in; forms refuse them. Who has passed gets anything but these two answers."""
    wrong = []
    async with running(parts, desk) as server:
        for (method, path), may in MAY.items():
            for caller in (None, "expired", V, R, O):
                expired = caller == "expired"
                person = signed_in(server, O if expired else caller, expired=expired)
                answer = await ask(person, method, path)
                sent_off = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?next=")
                passed = not sent_off and answer.status_code != 403
                expected = may is None or caller in may
                if may is None and method == "POST":
                    continue  # a form of one's own needs a page of one's own: the next test
                if passed != expected or (
                    not expected and (method == "GET") != sent_off and caller in (None, "expired")
                ):
                    wrong.append(f"{method} {path} by {caller}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize("form", ["", "wrong", "f" * 64])
async def test_a_form_without_our_token_or_with_anothers_is_refused(parts: Parts, desk: Desk, form: str) -> None:
    async with running(parts, desk) as server:
        other = signed_in(server, O, "other")
        person = signed_in(server, O)
        token = re.search(r'name="form" value="(\w+)"', await other.see("/account"))
        for method, path in MAY:
            if method == "POST":
                for given in (form, token[1] if token else ""):
                    answer = await person.post(filled(path), form=given, do="keys", keys="off", name="x")
                    assert answer.status_code == 403, path
        assert "data-keys" not in await person.see("/account")


async def test_a_form_that_another_site_made_a_browser_post_is_refused(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        person = signed_in(server, O)
        person.client.headers["Sec-Fetch-Site"] = "cross-site"
        assert (await person.post("/account", do="keys", keys="off")).status_code == 403
        person.client.headers["Sec-Fetch-Site"] = "same-origin"
        assert (await person.post("/account", do="keys", keys="off")).status_code == 303


HOSTILE = (
    (b"form=%ff%fe", "application/x-www-form-urlencoded", 400),
    (b"form=%00", "application/x-www-form-urlencoded", 400),
    (b"&".join(b"a%d=" % n for n in range(1_000)), "application/x-www-form-urlencoded", 400),
    (b"x" * 300_000, "application/x-www-form-urlencoded", 413),
    (b"{}", "application/json", 415),
    (b"", "", 415),
)


@pytest.mark.parametrize(
    ("body", "kind", "status"), HOSTILE, ids=["no UTF-8", "NUL", "many", "large", "JSON", "nothing"]
)
async def test_hostile_forms_are_refused(parts: Parts, desk: Desk, body: bytes, kind: str, status: int) -> None:
    async with running(parts, desk) as server:
        person = signed_in(server, O)
        answer = await person.client.post("/account", content=body, headers={"Content-Type": kind})
        assert answer.status_code == status
        pieces = [body[at : at + 9_999] for at in range(0, len(body), 9_999)]

        async def chunked() -> Any:
            for piece in pieces:
                await asyncio.sleep(0)
                yield piece

        answer = await person.client.post("/account", content=chunked(), headers={"Content-Type": kind})
        assert answer.status_code == status
        assert (await person.client.get("/log?before=%00")).status_code == 400
        assert (await person.client.get("/sign-in/%00")).status_code == 400


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.test", "https://evil.test/", "/\\evil.test", "javascript:alert(1)", "evil", "/\tx", "///x", "/ü", ""],
)
def test_nobody_is_sent_to_another_server(elsewhere: str) -> None:
    assert local(elsewhere, "/home") == "/home"


def test_control_our_own_addresses_are_kept() -> None:
    assert local("/tickets/desk/1?from=%2F", "/home") == "/tickets/desk/1?from=%2F"


async def test_a_page_that_forgets_its_right_is_noticed(parts: Parts, desk: Desk, monkeypatch: Any) -> None:
    """The control of the table."""
    from agent.pages import routes

    async def tell(visit: Visit) -> Any:
        return visit.page("link_no_good.html")

    monkeypatch.setattr(routes, "CALLS", (*CALLS, Call("GET", "/everything", None, tell)))
    async with running(parts, desk) as server:
        answer = await signed_in(server, None).client.get("/everything")
    assert answer.status_code == 200
    assert [call.path for call in routes.CALLS if (call.method, call.path) not in MAY] == ["/everything"]


def filled(path: str) -> str:
    return (
        path.replace("{token}", "x")
        .replace("{choice}", "0")
        .replace("{week}", "2026-W47")
        .replace("{helpdesk}", "desk")
        .replace("{number:path}", "1")
    )


async def ask(person: Any, method: str, path: str) -> Any:
    if method == "GET":
        return await person.client.get(filled(path))
    return await person.post(filled(path), do="nothing")
