"""Each call by nobody, by accounts of each rights, and by tokens that have ended, gives what one table says."""

from __future__ import annotations

import httpx
import pytest

from agent.core import Parts
from agent.pages.signing import sessions, tokens, users
from agent.pages.signing.rights import Rights
from agent.programs.rest import CALLS
from agent.store.tables import utcnow
from tests.agent.pages.limited import HIDDEN, OKAPI, SEEN, UNKNOWN, limit, plant, similar
from tests.agent.programs.conftest import program, token_of
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

V, R, O = Rights.VIEWER, Rights.REVIEWER, Rights.OPERATOR  # noqa: E741 - one column each
T = "{helpdesk}/{number:path}"
MAY = {
    ("GET", "/api/account"): ((V, R, O), None),
    ("GET", "/api/roles"): ((V, R, O), None),
    ("GET", "/api/tickets"): ((V, R, O), None),
    ("GET", f"/api/tickets/{T}"): ((V, R, O), 404),
    ("GET", f"/api/explanations/{T}"): ((V, R, O), 404),
    ("GET", f"/api/summaries/{T}"): ((V, R, O), 404),
    ("POST", "/api/suggestions"): ((V, R, O), None),
    ("POST", f"/api/reviews/{T}"): ((R, O), 404),
    ("DELETE", f"/api/reviews/{T}"): ((R, O), 404),
    ("GET", "/api/decisions"): ((V, R, O), None),
    ("GET", f"/api/decisions/{T}"): ((V, R, O), 200),
    ("GET", "/api/reports/{week}"): ((V, R, O), None),
    ("GET", "/api/export"): ((O,), None),
}
"""Who may make each call, and what a reviewer gets who does not see the ticket that it is about, as does everybody
where there is no such ticket; None: it is about no ticket. A call that is not here fails the first test."""


def test_the_table_knows_every_call() -> None:
    assert [(call.method, call.path) for call in CALLS] == list(MAY)


async def test_each_call_by_everybody_gives_what_the_table_says(parts: Parts, desk: Desk) -> None:
    wrong = []
    async with running(parts, desk) as server:
        ended = {
            "nobody": None,
            "expired": token_of(parts, O, "expired", days=1, made_days_ago=2),
            "revoked": token_of(parts, O, "revoked"),
            "disabled": token_of(parts, O, "disabled"),
            "reset": token_of(parts, O, "reset"),
            "wrong": "rolecall_" + "x" * 43,
            "a password": "correct horse battery",
        }
        (row,) = parts.database.call(tokens.listed, "revoked")
        parts.database.call(tokens.revoke, row.id or 0, "tests", utcnow())
        parts.database.call(users.disable, "disabled", "tests", utcnow())
        parts.database.call(users.reset, "reset", "tests", utcnow())
        callers = {**ended, **{right: token_of(parts, right) for right in (V, R, O)}}
        for (method, path), (may, _) in MAY.items():
            for caller, token in callers.items():
                expected = 401 if caller in ended else None if caller in may else 403
                answer = await program(server, token).request(method, filled(path))
                passed = answer.status_code not in (401, 403)
                if passed if expected else not passed or answer.status_code >= 500:
                    wrong.append(f"{method} {path} by {caller}: {answer.status_code}")
                if expected and answer.status_code != expected:
                    wrong.append(f"{method} {path} by {caller}: {answer.status_code}, not {expected}")
    assert wrong == []


async def test_a_ticket_that_an_account_does_not_see_is_like_one_that_does_not_exist(
    parts: Parts, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same call about a ticket that it sees, and by an account that sees every ticket, is the control."""
    wrong = []
    for _ in (SEEN, HIDDEN):
        desk.create("Lamp")
    parts.database.call(plant)
    similar(monkeypatch)
    async with running(parts, desk) as server:
        kim, robin = (program(server, token_of(parts, R, name)) for name in ("Kim", "Robin"))
        limit(parts, "Kim")
        await lists_and_what_is_found_leave_such_tickets_out(kim, robin)
        for (method, path), (_, refused) in MAY.items():
            if refused is None:
                continue
            unknown, hidden = [await about(kim, method, path, key) for key in (UNKNOWN, HIDDEN)]
            if unknown.status_code != refused or (hidden.status_code, hidden.text) != (refused, unknown.text):
                wrong.append(f"{method} {path}: {hidden.status_code} {hidden.text}")
            for caller, key in ((kim, SEEN), (robin, HIDDEN)):
                answer = await about(caller, method, path, key)
                if answer.text == unknown.text or answer.status_code >= 500:
                    wrong.append(f"{method} {path} of {key}: {answer.status_code} {answer.text}")
    assert wrong == []


async def lists_and_what_is_found_leave_such_tickets_out(kim: httpx.AsyncClient, robin: httpx.AsyncClient) -> None:
    for path in ("/api/tickets", "/api/tickets?q=lamp", f"/api/tickets?q={OKAPI}", "/api/decisions",
                 "/api/explanations/desk/1"):  # fmt: skip
        hers, everybodys = await kim.get(path), await robin.get(path)
        assert (hers.status_code, everybodys.status_code) == (200, 200)
        assert OKAPI not in hers.text, path
        assert '"number":"2"' not in hers.text, path
        assert OKAPI in everybodys.text or '"number":"2"' in everybodys.text, path
    told = await kim.post("/api/suggestions", json={"subject": "lamp"})
    assert [one["number"] for one in told.json()["similar"]] == ["1"]
    assert OKAPI not in told.text
    told = await robin.post("/api/suggestions", json={"subject": "lamp"})
    assert [one["number"] for one in told.json()["similar"]] == ["2", "1"]
    week = f"{utcnow().astimezone():%G-W%V}"
    received = [(await one.get(f"/api/reports/{week}")).json()["received"] for one in (kim, robin)]
    assert received == [2, 6]


async def test_rights_are_those_that_the_account_has_now(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        robot = program(server, token_of(parts, O, "robot"))
        assert (await robot.get("/api/account")).json() == {"name": "robot", "rights": "operator"}
        parts.database.call(users.change_rights, "robot", V, "tests", utcnow())
        assert (await robot.get("/api/export")).status_code == 403
        assert (await robot.get("/api/account")).json()["rights"] == "viewer"
        (row,) = parts.database.call(tokens.listed, "robot")
        assert row.used_at is not None


async def test_a_browsers_session_and_the_key_of_the_model_api_are_no_tokens(parts: Parts, desk: Desk) -> None:
    """A browser sends cookies by itself: were they enough here, a page of others could act for somebody."""
    async with running(parts, desk) as server:
        token_of(parts, O, "kim")
        cookie = parts.database.call(sessions.begin, "kim", utcnow())
        stranger = program(server, None)
        stranger.cookies.set("rolecall", cookie)
        for headers in ({}, {"Authorization": f"Bearer {cookie}"}, {"X-API-Key": cookie}):
            assert (await stranger.get("/api/tickets", headers=headers)).status_code == 401
        assert (await stranger.get("/")).status_code == 200, "the control: it is good for the pages"


async def about(caller: httpx.AsyncClient, method: str, path: str, key: str) -> httpx.Response:
    """Make a call about a ticket."""
    body = {"json": {"roles": ["Network"]}} if method == "POST" else {}
    return await caller.request(method, path.replace(T, key.replace(":", "/")), **body)


def filled(path: str) -> str:
    return path.replace(T, "desk/1").replace("{week}", "2026-W03")
