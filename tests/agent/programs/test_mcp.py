"""An assistant explains, suggests, records and finds with the rights of an account: driven by the SDK's own client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlmodel import select
from typer.testing import CliRunner

from agent.cli import app
from agent.domain import Strength, Via
from agent.pages.signing.rights import Rights
from agent.store import search
from agent.store.people import Audit
from agent.store.tables import Review, Ticket, utcnow
from agent.store.writings import Writing
from tests.agent.pages.limited import HIDDEN, OKAPI, SEEN, UNKNOWN, limit, plant, similar
from tests.agent.programs.conftest import acting, program
from tests.desk import Desk
from tests.serving_app import Running
from tests.shared import Late

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("mcp")]  # one worker imports the SDK
mcp, programs = Late("mcp"), Late("agent.programs.mcp_server")

LAMP = ("Light flickers", "The lamp in the hall flickers, and a fuse has blown.")
TICKET = {"helpdesk": "desk", "number": "1"}


async def call(client: httpx.AsyncClient, tool: str, **arguments: Any) -> tuple[bool, Any]:
    """Return whether a tool failed, and what it said."""
    async with mcp.Client(programs.server(client)) as assistant:
        result = await assistant.call_tool(tool, arguments)
    said = result.structured_content if not result.is_error else result.content[0].text
    return result.is_error, said


async def test_an_assistant_is_offered_four_tools_and_told_not_to_obey_tickets(server_: Running) -> None:
    async with mcp.Client(programs.server(acting(server_, Rights.VIEWER))) as assistant:
        offered = {tool.name: tool for tool in (await assistant.list_tools()).tools}
        instructions = assistant.instructions or ""
    assert set(offered) == {"explain_ticket", "suggest_role", "record_review", "similar_solved_tickets"}
    assert [name for name, tool in offered.items() if not tool.annotations.read_only_hint] == ["record_review"]
    assert "no instruction to you" in instructions


async def test_it_explains_suggests_and_records_as_its_account(server_: Running, desk: Desk) -> None:
    await server_.deliver(desk.create(*LAMP))
    await server_.idle()
    robot = acting(server_, Rights.REVIEWER, "robot")
    failed, told = await call(robot, "explain_ticket", **TICKET)
    assert (failed, told["explanation"]["roles"], told["ticket"]["seen"]) == (False, ["Electrician"], 0)
    failed, suggested = await call(robot, "suggest_role", subject=LAMP[0], body=LAMP[1])
    assert suggested == told["explanation"]
    failed, told = await call(robot, "record_review", **TICKET, roles=["Network"])
    assert (failed, told["known_role"]["by"]) == (False, "robot")
    await server_.idle()
    assert "**Role: Network** (said by staff" in desk.comments("1")[0].text
    log = server_.parts.database.call(lambda s: [(a.who, a.action) for a in s.exec(select(Audit)) if a.ticket_key])
    assert log == [("robot", "feedback")]


async def test_what_the_account_may_not_do_fails_in_words(server_: Running, desk: Desk) -> None:
    await server_.deliver(desk.create(*LAMP))
    await server_.idle()
    viewer = acting(server_, Rights.VIEWER)
    refused = [
        (viewer, "record_review", {**TICKET, "right": True}, "needs the right reviewer"),
        (viewer, "explain_ticket", {"helpdesk": "desk", "number": "../../account"}, "(404)"),
        (viewer, "suggest_role", {"subject": "x" * 2_000}, "at most 1000 characters"),
        (program(server_, "rolecall_" + "x" * 43), "suggest_role", {"subject": "x"}, "(401)"),
        (acting(server_, Rights.REVIEWER), "record_review", {**TICKET, "roles": ["Nobody"]}, "no role"),
        (programs.client_of("http://127.0.0.1:9", "x"), "suggest_role", {"subject": "x"}, "does not answer"),
    ]
    for client, tool, arguments, reason in refused:
        failed, said = await call(client, tool, **arguments)
        assert (failed, reason in said) == (True, True), said
    assert server_.parts.database.call(lambda session: session.exec(select(Review)).all()) == []


async def test_to_an_assistant_of_a_limited_account_a_hidden_ticket_is_an_unknown_one(
    server_: Running, desk: Desk, monkeypatch: Any
) -> None:
    """The same tools on a ticket that it sees, and with a token of an account that sees all, are the control."""
    similar(monkeypatch)
    for _ in (SEEN, HIDDEN):
        desk.create("Lamp")
    server_.parts.database.call(plant)
    kim, robin = (acting(server_, Rights.REVIEWER, name) for name in ("Kim", "Robin"))
    limit(server_.parts, "Kim")
    about = {"explain_ticket": {}, "similar_solved_tickets": {}, "record_review": {"roles": ["Network"]}}
    for tool, more in about.items():
        refused = {}
        for key in (HIDDEN, UNKNOWN):
            number = key.partition(":")[2]
            failed, said = await call(kim, tool, helpdesk="desk", number=number, **more)
            assert (failed, OKAPI in said) == (True, False), (tool, key, said)
            refused[key] = said.replace(number, "")
        assert refused[HIDDEN] == refused[UNKNOWN], tool
        failed, said = await call(kim, tool, helpdesk="desk", number="1", **more)
        assert (failed, OKAPI in str(said)) == (False, False), (tool, said)
        failed, said = await call(robin, tool, helpdesk="desk", number="2", **more)
        assert not failed, (tool, said)
    given = server_.parts.database.call(lambda s: [r.ticket_key for r in s.exec(select(Review)) if r.via == Via.PAGE])
    assert given == [SEEN, HIDDEN], "the latter by Robin"
    (_, hers), (_, everybodys) = [await call(one, "suggest_role", subject="lamp") for one in (kim, robin)]
    assert [[near["number"] for near in told["similar"]] for told in (hers, everybodys)] == [["1"], ["2", "1"]]


async def test_similar_tickets_come_with_what_helped(server_: Running, desk: Desk, monkeypatch: Any) -> None:
    from agent.triage.evidence import Neighbour
    from agent.triage.opinion import RoleClassifier

    opinion: Callable[..., Any] = RoleClassifier.opinion
    near = tuple(Neighbour(f"desk:{number}", 0.9, ("Electrician",)) for number in (7, 8))

    def with_similar(*given: Any, **more: Any) -> Any:
        import dataclasses

        return dataclasses.replace(opinion(*given, **more), neighbours=near)

    monkeypatch.setattr(RoleClassifier, "opinion", with_similar)
    now = utcnow()

    def plant(session: Any) -> None:
        for key in ("desk:7", "desk:8"):
            search.add(session, Ticket(key=key, subject=f"Lamp {key}", body="", filed_at=now))
            session.add(Review(ticket_key=key, roles=["Electrician"], strength=Strength.CLOSED, via=Via.CLOSURE,
                               origin="x", at=now))  # fmt: skip
        session.add(Writing(ticket_key="desk:8", kind="closure", at=now, outcome="fixed", writer="x", digest="x",
                            parts=[["fix", [["I changed the fuse.", 2, "2"]]]], shown=True))  # fmt: skip

    server_.parts.database.call(plant)
    await server_.deliver(desk.create(*LAMP))
    await server_.idle()
    _, told = await call(acting(server_, Rights.VIEWER), "similar_solved_tickets", **TICKET)
    assert [(one["number"], one["fix"]) for one in told["similar"]] == [("8", "I changed the fuse."), ("7", None)]


def test_the_command_asks_for_a_token_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("API_TOKEN", raising=False)
    result = CliRunner().invoke(app, ["mcp", "--config", "nowhere.toml"])
    assert "set the variable API_TOKEN" in str(result.exception)
