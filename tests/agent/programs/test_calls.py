"""What programs read is what pages show; what they say is recorded like what people click, and in the same log."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import DataError, OperationalError
from sqlmodel import select

from agent.core import Parts
from agent.pages.signing import audit
from agent.pages.signing.rights import Rights
from agent.programs import figures
from agent.store import search
from agent.store.people import Audit
from agent.store.tables import Review, Ticket, utcnow
from tests.agent.pages.conftest import signed_in
from tests.agent.programs.conftest import acting
from tests.desk import Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

V, R, O = Rights.VIEWER, Rights.REVIEWER, Rights.OPERATOR  # noqa: E741 - as in the table
LAMP = ("Light flickers", "The lamp in the hall flickers, and a fuse has blown.")


async def test_feedback_is_recorded_shown_and_taken_back_like_that_of_a_person(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create(*LAMP))
    await server.idle()
    robot, kim = acting(server, R, "robot"), signed_in(server, R, "Kim")
    before = (await robot.get("/api/tickets/desk/1")).json()
    assert (before["subject"], before["known_role"], before["seen"]) == (LAMP[0], None, 0)
    assert before["text"] == LAMP[1]
    answer = await robot.post("/api/reviews/desk/1", json={"roles": ["Network"]})
    assert answer.status_code == 200, answer.text
    known = answer.json()["known_role"]
    assert (known["roles"], known["strength"], known["by"]) == (["Network"], "corrected", "robot")
    await server.idle()
    assert "**Role: Network** (said by staff" in desk.comments("1")[0].text
    again = await robot.post("/api/reviews/desk/1", json={"roles": ["network"], "seen": answer.json()["seen"]})
    assert (again.status_code, len(reviews(server.parts))) == (200, 1), "the same again is no other answer"
    assert (await kim.post("/tickets/desk/1", role="Electrician", seen="0")).status_code == 409
    answer = await robot.delete("/api/reviews/desk/1")
    assert (answer.status_code, answer.json()["known_role"]) == (200, None)
    assert (await robot.delete("/api/reviews/desk/1")).status_code == 409
    await server.idle()
    assert "said by staff" not in desk.comments("1")[0].text
    log = server.parts.database.call(lambda s: [(a.who, a.action, a.ticket_key) for a in s.exec(select(Audit))])
    assert [line for line in log if line[2]] == [("robot", "feedback", "desk:1"), ("robot", "undo", "desk:1")]


async def test_a_program_overtakes_nobody_whose_answer_it_has_not_seen(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create(*LAMP))
    await server.idle()
    robot, kim = acting(server, R, "robot"), signed_in(server, R, "Kim")
    await kim.post("/tickets/desk/1", role="Electrician", seen="0")
    answer = await robot.post("/api/reviews/desk/1", json={"none_of_ours": True})
    assert (answer.status_code, "Kim chose Electrician meanwhile" in answer.json()["detail"]) == (409, True)
    assert (await robot.delete("/api/reviews/desk/1")).status_code == 403, "that is Kim's"
    seen = (await robot.get("/api/tickets/desk/1")).json()["seen"]
    answer = await robot.post("/api/reviews/desk/1", json={"none_of_ours": True, "seen": seen})
    assert (answer.status_code, answer.json()["known_role"]["roles"]) == (200, [])
    boss = acting(server, O, "boss")
    assert (await boss.delete(f"/api/reviews/desk/1?seen={answer.json()['seen']}")).status_code == 200


async def test_an_explanation_holds_what_predict_says(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create(*LAMP))
    await server.idle()
    robot = acting(server, V)
    of_ticket = (await robot.get("/api/explanations/desk/1")).json()
    of_text = (await robot.post("/api/suggestions", json={"subject": LAMP[0], "body": LAMP[1]})).json()
    assert of_ticket == of_text
    assert of_text["kind"] in ("clear", "either_or")
    assert of_text["roles"][0] == of_text["evidence"][0]["role"] == "Electrician"
    assert any(rule["role"] == "Electrician" and rule["phrases"] for rule in of_text["rules"])
    assert any("Electrician" in line for line in of_text["why"])
    assert (await robot.get("/api/explanations/desk/77")).status_code == 404
    summary = await robot.get("/api/summaries/desk/1")
    assert (summary.status_code, list(summary.json())) == (200, ["text"])


async def test_tickets_are_listed_found_and_paged(server: Running) -> None:
    for number in range(30):
        filed_at = utcnow() - timedelta(minutes=number // 3)  # three at a time
        ticket = Ticket(key=f"desk:{number}", subject=f"lamp {number % 2}", body="", filed_at=filed_at)
        server.parts.database.call(search.add, ticket)
    robot = acting(server, V)
    for query in ("limit=7", "limit=7&q=lamp", "limit=7&q=lamp&helpdesk=desk", "limit=7&is=waiting"):
        found: list[str] = []
        following: str | None = ""
        while following is not None:
            more = {"before": following} if following else {}
            answer = (
                await robot.get(f"/api/tickets?{query}", params=None if not more else {**split(query), **more})
            ).json()
            found += [one["number"] for one in answer["tickets"]]
            following = answer["next"]
        assert sorted(map(int, found)) == list(range(30)), query
    assert len((await robot.get("/api/tickets?q=lamp+1")).json()["tickets"]) == 15
    assert (await robot.get("/api/tickets?is=corrected")).json() == {"tickets": [], "next": None}


def split(query: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in query.split("&"))


async def test_the_week_the_ledger_the_roles_and_the_file(
    server: Running, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.now = utcnow  # type: ignore[method-assign]
    for ticket in LAMP, ("VPN is down", "The wifi and the vpn."):
        await server.deliver(desk.create(*ticket))
        await server.idle()  # else either may be decided first
    robot = acting(server, O, "robot")
    await robot.post("/api/reviews/desk/1", json={"right": True})
    week = f"{utcnow().astimezone():%G-W%V}"
    report = (await robot.get(f"/api/reports/{week}")).json()
    assert (report["week"], report["received"], report["with_feedback"]) == (week, 2, 1)
    assert report["markdown"].startswith("#")
    assert (await robot.get("/api/reports/latest")).status_code == 200
    ledger = (await robot.get("/api/decisions?limit=1")).json()
    assert [row["number"] for row in ledger["decisions"]] == ["2"]
    ledger = (await robot.get("/api/decisions", params={"before": ledger["next"]})).json()
    assert [row["number"] for row in ledger["decisions"]] == ["1"]
    assert len((await robot.get("/api/decisions/desk/2")).json()["decisions"]) == 1
    for error, status in ((DataError, 400), (OperationalError, 503)):
        with monkeypatch.context() as faulty:
            faulty.setattr(figures, "latest", Mock(side_effect=error("SELECT", None, Exception("out of range"))))
            faulty.setattr(audit, "latest", Mock(side_effect=error("SELECT", None, Exception("out of range"))))
            assert (await robot.get("/api/decisions?before=4611686018427387904")).status_code == status
            person = signed_in(server, O, "Boss")
            assert (await person.client.get("/log?before=99999999999999999")).status_code == status
    assert "Electrician" in [role["name"] for role in (await robot.get("/api/roles")).json()]
    file = await robot.get("/api/export?kind=csv")
    (row,) = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
    assert (row["id"], row["role"], row["reviewed_by"]) == ("1", "Electrician", "robot")
    assert (await robot.get("/api/export?kind=exe")).status_code == 400
    log = server.parts.database.call(lambda s: [a.action for a in s.exec(select(Audit))])
    assert log.count("exported") == 1


async def test_of_a_random_check_nothing_is_told_to_who_may_answer_it(parts_for: Any, desk: Desk) -> None:
    parts = parts_for(checks={"share": 1.0}, work={"settle_seconds": 0.2}, triage={"silent_below": 0.2})
    async with running(parts, desk) as server:
        await server.deliver(desk.create(*LAMP))
        await server.idle()
        robot, viewer = acting(server, R), acting(server, V)
        told = (await robot.get("/api/tickets/desk/1")).json()
        assert (told["random_check"], told["suggestion"], told["comment"]) == (True, None, None)
        assert (await robot.get("/api/explanations/desk/1")).status_code == 409
        assert (await robot.get("/api/decisions")).json() == {"decisions": [], "next": None}
        assert (await robot.post("/api/reviews/desk/1", json={"right": True})).status_code == 409
        assert (await viewer.get("/api/tickets/desk/1")).json()["suggestion"]["roles"] == ["Electrician"]
        assert (await robot.post("/api/reviews/desk/1", json={"roles": ["Network"]})).status_code == 200
        (review,) = reviews(parts)
        assert review.via == "check"
        assert (await robot.get("/api/tickets/desk/1")).json()["suggestion"]["roles"] == ["Electrician"]


HOSTILE_BODIES: list[tuple[bytes, int]] = [
    (b"", 422),
    (b"{", 422),
    (b"[" * 9_999, 422),
    (b"\xff\xfe", 422),
    (b'{"subject": 1}', 422),
    (b'{"subject": "a", "more": 1}', 422),
    (b'{"roles": ["Nobody"]}', 400),
    (b'{"roles": ["\\u0000"]}', 400),
    (b'{"roles": ["\\ud800"]}', 422),
    (b'{"roles": []}', 400),
    (b'{"right": true, "none_of_ours": true}', 400),
    (b'{"roles": ["Network"], "seen": -1}', 422),
    (b'{"roles": ["Network"], "seen": 99999999999999999999}', 422),
    (b'{"roles": [' + b'"x",' * 99 + b'"x"]}', 422),
    (b" " * 70_000, 413),
]
HOSTILE_PATHS = [  # each is refused, or finds nothing
    *("tickets?limit=0", "tickets?limit=x", "tickets?limit=101", f"tickets?limit={9**99}", "tickets?q=%00"),
    *(f"tickets?q={'x' * 300}", "tickets?q=%22", "tickets?q=%ff", "tickets?is=x", "tickets?role=x"),
    *("tickets?helpdesk=x", "tickets?is=%00"),
    *("tickets?before=1e999~x", "tickets?before=nan~x", "tickets?before=~", f"tickets?q=a&before={9**40}"),
    *("tickets/", "tickets/x", "tickets/x/", "tickets/desk/%00", "tickets/desk/%ff", f"tickets/desk/{'9' * 5000}"),
    *("explanations/desk/-1", "summaries/desk/1", "summaries/nobody/1", "decisions?before=0", "decisions/%2e%2e/x"),
    *("decisions?before=99999999999999999999", "reports/x", "reports/2026-W99", "reports/9999-W01", "reports/0000-W00"),
    *("export?kind=%00", "nothing", "", "tickets/desk/1?q=\xff"),
]  # fmt: skip


async def test_hostile_input_is_refused_in_few_words(server: Running) -> None:
    server.parts.database.call(search.add, Ticket(key="desk:1", subject="x", body="", filed_at=utcnow()))
    robot = acting(server, O)
    for body, status in HOSTILE_BODIES:
        path = "/api/suggestions" if b"subject" in body else "/api/reviews/desk/1"
        answer = await robot.post(path, content=body)
        assert (answer.status_code, len(answer.content) < 2_000) == (status, True), (body[:40], answer.text)
    for path in HOSTILE_PATHS:
        answer = await robot.get(f"/api/{path}")
        assert answer.status_code < 500, path
        assert len(answer.content) < 2_000 or answer.status_code == 200, path
    for method in ("PUT", "PATCH", "OPTIONS", "TRACE"):
        assert (await robot.request(method, "/api/tickets")).status_code == 405
    assert reviews(server.parts) == []


async def test_the_description_names_every_call_and_is_public(server: Running) -> None:
    from agent.programs.rest import CALLS

    answer = await server.client.get("/api/openapi.json")
    described = answer.json()
    assert answer.status_code == 200
    paths = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert paths == {(call.method, call.path.replace(":path", "")) for call in CALLS}
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    names = [one["operationId"] for methods in described["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))


def reviews(parts: Parts) -> list[Review]:
    return list(parts.database.call(lambda session: session.exec(select(Review)).all()))
