"""Each page and form, called by nobody, a viewer, a reviewer, an operator and somebody whose session has expired."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session, select

from agent.core import Parts, mark_key
from agent.notes.links import _signer
from agent.pages.guard import Call, Visit, local
from agent.pages.routes import CALLS
from agent.pages.signing.rights import Rights
from agent.store import links
from agent.store.tables import Review, utcnow
from tests.agent.pages.conftest import Person, signed_in, words_of
from tests.agent.pages.limited import HIDDEN, OKAPI, SEEN, UNKNOWN, limit, plant
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

V, R, O = Rights.VIEWER, Rights.REVIEWER, Rights.OPERATOR  # noqa: E741 - one column each
MAY: dict[tuple[str, str], tuple[tuple[Rights, ...] | None, int | None]] = {
    ("GET", "/sign-in"): (None, None),
    ("POST", "/sign-in"): (None, None),
    ("GET", "/sign-in/{token}"): (None, None),
    ("POST", "/sign-in/{token}"): (None, None),
    ("GET", "/oidc"): (None, None),
    ("GET", "/oidc/back"): (None, None),
    ("POST", "/sign-out"): (None, None),
    ("GET", "/l/{token}/{choice}"): (None, 410),
    ("POST", "/l/{token}"): (None, 410),
    ("GET", "/"): ((V, R, O), None),
    ("GET", "/tickets/{helpdesk}/{number:path}"): ((V, R, O), 404),
    ("POST", "/tickets/{helpdesk}/{number:path}"): ((R, O), 404),
    ("POST", "/notes/{helpdesk}/{number:path}"): ((R, O), 404),
    ("POST", "/subjects/{helpdesk}/{number:path}"): ((R, O), 404),
    ("POST", "/descriptions/{helpdesk}/{number:path}"): ((R, O), 404),
    ("GET", "/summaries/{helpdesk}/{number:path}"): ((V, R, O), 404),
    ("GET", "/review"): ((R, O), None),
    ("POST", "/review"): ((R, O), 404),
    ("GET", "/review/bulk"): ((R, O), None),
    ("POST", "/review/bulk"): ((R, O), None),
    ("GET", "/search"): ((V, R, O), None),
    ("GET", "/report"): ((V, R, O), None),
    ("POST", "/report"): ((O,), None),
    ("GET", "/report/{week}"): ((V, R, O), None),
    ("GET", "/roles"): ((V, R, O), None),
    ("POST", "/roles"): ((O,), None),
    ("POST", "/roles/file"): ((O,), None),
    ("GET", "/rules"): ((V, R, O), None),
    ("POST", "/rules"): ((V, R, O), None),
    ("POST", "/rules/file"): ((O,), None),
    ("GET", "/status"): ((V, R, O), None),
    ("POST", "/status"): ((O,), None),
    ("GET", "/models"): ((V, R, O), None),
    ("POST", "/models"): ((O,), None),
    ("GET", "/account"): ((V, R, O), None),
    ("POST", "/account"): ((V, R, O), None),
    ("GET", "/users"): ((O,), None),
    ("POST", "/users"): ((O,), None),
    ("GET", "/log"): ((O,), None),
}
"""Who may make each call; None: anybody. And what a reviewer gets who does not see the ticket that it is about, as
does everybody where there is no such ticket; None: it is about no ticket. A call that is not here fails a test."""


def test_the_table_knows_every_call() -> None:
    assert [(call.method, call.path) for call in CALLS] == list(MAY)


async def test_each_call_by_everybody_gives_what_the_table_says(parts: Parts, desk: Desk) -> None:
    """Pages send strangers to the sign-in; forms refuse them. Who has passed gets anything but these two answers."""
    wrong = []
    async with running(parts, desk) as server:
        for (method, path), (may, _) in MAY.items():
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


async def test_a_ticket_that_somebody_does_not_see_is_like_one_that_does_not_exist(parts: Parts, desk: Desk) -> None:
    """The same call about a ticket that they see, and by somebody who sees every ticket, is the control."""
    wrong = []
    for _ in (SEEN, HIDDEN):
        desk.create("Lamp")  # the helpdesk has both
    parts.database.call(plant)
    async with running(parts, desk) as server:
        secret = mark_key(parts.directory, parts.database)
        tokens = {key: parts.database.call(link, key, secret) for key in (SEEN, HIDDEN)}
        tokens[UNKNOWN] = _signer(secret).dumps(UNKNOWN)
        kim, robin = signed_in(server, R, "Kim"), signed_in(server, R, "Robin")
        limit(parts, "Kim")
        for (method, path), (_, refused) in MAY.items():
            if refused is None:
                continue
            unknown, hidden = [await about(kim, method, path, key, tokens[key]) for key in (UNKNOWN, HIDDEN)]
            if {unknown.status_code, hidden.status_code} != {refused} or shape(unknown) != shape(hidden):
                wrong.append(f"{method} {path}: {hidden.status_code} {words_of(hidden.text)}")
            if OKAPI in hidden.text:
                wrong.append(f"{method} {path} tells of it")
            for person, key in ((kim, SEEN), (robin, HIDDEN)):
                answer = await about(person, method, path, key, tokens[key])
                if answer.status_code in (refused, 403) or answer.status_code >= 500:
                    wrong.append(f"{method} {path} of {key} by {person.name}: {answer.status_code}")
        said = parts.database.call(lambda s: [(r.ticket_key, r.actor) for r in s.exec(select(Review)) if r.actor])
        assert set(said) == {(SEEN, "Kim"), (HIDDEN, "Robin")}
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


def link(session: Session, key: str, secret: bytes) -> str:
    """Make the link of a ticket's comment."""
    return links.keep(session, key, [("Network",)], partial(_signer(secret).dumps, key), utcnow())


def shape(answer: Any) -> str:
    """Return what a page says, but for numbers."""
    return re.sub(r"\d+", "N", words_of(answer.text))


async def about(person: Person, method: str, path: str, key: str, token: str) -> Any:
    """Make a call about a ticket."""
    at = path.replace("{helpdesk}/{number:path}", key.replace(":", "/")).replace("{token}", token)
    if method == "GET":
        return await person.client.get(at.replace("{choice}", "0"))
    given = {"role": "Network", "ticket": key, "do": "useful" if "notes" in path else "accept"}
    return await person.post(at, **given)


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
