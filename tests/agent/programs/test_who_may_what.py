"""Each call by nobody, by accounts of each rights, and by tokens that have ended, gives what one table says."""

from __future__ import annotations

import pytest

from agent.core import Parts
from agent.pages.signing import sessions, tokens, users
from agent.pages.signing.rights import Rights
from agent.programs.rest import CALLS
from agent.store.tables import utcnow
from tests.agent.programs.conftest import program, token_of
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

V, R, O = Rights.VIEWER, Rights.REVIEWER, Rights.OPERATOR  # noqa: E741 - one column each
T = "{helpdesk}/{number:path}"
MAY = {
    ("GET", "/api/account"): (V, R, O),
    ("GET", "/api/roles"): (V, R, O),
    ("GET", "/api/tickets"): (V, R, O),
    ("GET", f"/api/tickets/{T}"): (V, R, O),
    ("GET", f"/api/explanations/{T}"): (V, R, O),
    ("GET", f"/api/summaries/{T}"): (V, R, O),
    ("POST", "/api/suggestions"): (V, R, O),
    ("POST", f"/api/reviews/{T}"): (R, O),
    ("DELETE", f"/api/reviews/{T}"): (R, O),
    ("GET", "/api/decisions"): (V, R, O),
    ("GET", f"/api/decisions/{T}"): (V, R, O),
    ("GET", "/api/reports/{week}"): (V, R, O),
    ("GET", "/api/export"): (O,),
}
"""Who may make each call. A call that is not here fails the first test."""


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
        for (method, path), may in MAY.items():
            for caller, token in callers.items():
                expected = 401 if caller in ended else None if caller in may else 403
                answer = await program(server, token).request(method, filled(path))
                passed = answer.status_code not in (401, 403)
                if passed if expected else not passed or answer.status_code >= 500:
                    wrong.append(f"{method} {path} by {caller}: {answer.status_code}")
                if expected and answer.status_code != expected:
                    wrong.append(f"{method} {path} by {caller}: {answer.status_code}, not {expected}")
    assert wrong == []


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


def filled(path: str) -> str:
    return path.replace(T, "desk/1").replace("{week}", "2026-W03")
