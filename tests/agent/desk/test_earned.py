"""What a clear suggestion says is done as far as its role's stage allows: once, and never against a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import Session, select

from agent.core import Parts
from agent.pages.signing.rights import Rights
from agent.store import comments
from agent.store.actions import Action
from agent.store.stages import Stage, StageMove
from agent.store.tables import Comment, utcnow
from connectors.base import Field
from connectors.errors import Ambiguous, Permanent, Transient
from tests.agent.pages.conftest import signed_in, words_of
from tests.desk import CAPABILITIES, Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

CLEAR = "VPN over wifi: offline"
NETWORK = "Network"


@pytest.fixture
def desk() -> Desk:
    return Desk(source="django-helpdesk")  # the roles name its queues


@pytest.fixture
def parts(parts_for: Callable[..., Parts]) -> Parts:
    return parts_for(work={"settle_seconds": 0.2}, triage={"silent_below": 0.2})


@pytest.fixture
def polled(parts_for: Callable[..., Parts]) -> Parts:
    return parts_for(work={"settle_seconds": 0.2, "poll_seconds": 0.05}, triage={"silent_below": 0.2})


def put(parts: Parts, stage: Stage, role: str = NETWORK) -> None:
    def add(session: Session) -> None:
        row = {"before": "comment", "stage": stage.word, "at": utcnow(), "who": "kim", "why": "taken"}
        session.add(StageMove(role=role, **row))

    parts.database.call(add)


async def file(server: Running, subject: str = CLEAR, group: str = "intake") -> None:
    await server.deliver(server.desk.create(subject, group=group))
    await server.idle()


def held(desk: Desk, number: str = "1") -> tuple[str | None, tuple[str, ...]]:
    ticket = desk.tickets[number]
    return ticket.group, ticket.tags or ()


def rows(parts: Parts, table: type[Any]) -> list[Any]:
    with Session(parts.database.engine) as session:
        return list(session.exec(select(table)))


TAGGED, ASSIGNED = ("intake", ("role-network",)), ("NET", ("role-network",))


async def test_each_stage_does_what_those_below_do_and_one_thing_more(parts: Parts, desk: Desk) -> None:
    reached = {Stage.SHADOW: ("intake", ()), Stage.COMMENT: ("intake", ()), Stage.TAG: TAGGED, Stage.ASSIGN: ASSIGNED}
    async with running(parts, desk) as server:
        for number, (stage, expected) in enumerate(reached.items(), start=1):
            put(parts, stage)
            await file(server)
            await server.deliver(desk.edit(str(number), CLEAR, "since Monday"))
            await server.idle()
            assert (held(desk, str(number)), desk.posts, len(desk.comments(str(number)))) == (
                *(expected, number - 1, stage > Stage.SHADOW),
            )
        await file(server, "Socket, lamp and breaker")  # another role's: at comment
    assert (held(desk, "5"), desk.posts) == (("intake", ()), 4)
    assert [(row.ticket_key, row.field, row.value, row.role) for row in rows(parts, Action)] == [
        ("django-helpdesk:3", "tag", "role-network", NETWORK),
        ("django-helpdesk:4", "tag", "role-network", NETWORK),
        ("django-helpdesk:4", "group", "NET", NETWORK),
    ]


async def test_the_tickets_page_tells_what_was_done_and_a_random_check_does_not(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    parts = parts_for(work={"settle_seconds": 0.2}, checks={"share": 1})
    put(parts, Stage.ASSIGN)
    async with running(parts, desk) as server:
        await file(server)
        viewer, reviewer = (signed_in(server, rights) for rights in (Rights.VIEWER, Rights.REVIEWER))
        told = words_of(await viewer.see("/tickets/django-helpdesk/1"))
        assert "Rolecall tagged it role-network" in told
        assert "Rolecall put it into NET" in told
        assert "Rolecall" not in words_of(await reviewer.see("/tickets/django-helpdesk/1")).partition("History")[2]


async def test_of_a_role_in_shadow_nothing_is_posted_but_what_staff_ask_for(parts: Parts, desk: Desk) -> None:
    put(parts, Stage.SHADOW)
    async with running(parts, desk) as server:
        await file(server)
        assert (desk.posts, rows(parts, Comment)[0].withheld) == (0, comments.Withheld.IN_SHADOW)
        await server.deliver(desk.reply("1", "/role why"))
        await server.idle()
        (answer,) = desk.comments("1")
        assert "vpn" in answer.text
        assert "**Role" not in answer.text
        await server.deliver(desk.reply("1", "/role ok"))
        await server.deliver(desk.reply("1", "/role Electrician"))
        await server.idle()
    assert "**Role: Electrician** (said by staff" in desk.comments("1")[0].text
    assert rows(parts, Comment)[0].withheld is None


async def test_while_every_role_is_in_shadow_nothing_is_posted_at_all(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    parts = parts_for(ladder={"start": "shadow"}, triage={"silent_below": 0.2})
    async with running(parts, desk) as server:
        await file(server)
        await server.deliver(desk.reply("1", "/role Electrician"))
        await server.idle()
        assert (desk.posts, desk.edits) == (0, 0)
        put(parts, Stage.COMMENT, "")
        await file(server)
    assert (desk.posts, held(desk, "2")) == (1, ("intake", ()))


FIRST = {
    "moved": ({"group": "ELE"}, ("ELE", ("role-network",))),
    "taken": ({"assignee": "kim"}, TAGGED),
    "tagged": ({"tags": ("role-electrician",)}, ("NET", ("role-electrician",))),
    "closed": ({"closed": True}, ("intake", ())),
}
"""What a person did before Rolecall looked, and what becomes of the ticket."""


async def test_whoever_was_there_first_decides(parts: Parts, desk: Desk) -> None:
    put(parts, Stage.ASSIGN)
    async with running(parts, desk) as server:
        for number, (changed, _) in enumerate(FIRST.values(), start=1):
            event = desk.create(CLEAR, group="intake")
            desk.change(str(number), **changed)
            await server.deliver(event)
        answered = desk.create(CLEAR, group="intake")
        await server.deliver(desk.reply("5", "/role Electrician"))
        await server.idle()
        await server.deliver(answered)
        await server.idle()
        desk.capabilities = replace(CAPABILITIES, tells_moves=True)
        undone = desk.create(CLEAR, group="intake")
        for group in ("ELE", "intake"):
            desk.carry_out("6", Field.GROUP, group, "kim")
        await server.deliver(undone)
        await server.idle()
        unheard = desk.create(CLEAR, group="intake")
        desk.reply("7", "/role Electrician")  # its event comes later
        await server.deliver(unheard)
        await server.idle()
    for number, (name, (_, expected)) in enumerate(FIRST.items(), start=1):
        assert held(desk, str(number)) == expected, name
    assert [held(desk, number) for number in "567"] == [("intake", ()), TAGGED, ("intake", ())]


async def test_a_person_who_moves_a_ticket_back_is_not_overruled(polled: Parts, desk: Desk) -> None:
    put(polled, Stage.ASSIGN)
    async with running(polled, desk) as server:
        await file(server)
        assert held(desk) == ASSIGNED
        desk.change("1", group="intake", tags=())
        await server.look()
        await server.deliver(desk.edit("1", CLEAR, "And the printer"))
        await server.idle()
        await server.deliver(desk.edit("1", "Badge, key and camera"))
        await server.idle()
        put(polled, Stage.ASSIGN, "Locksmith & Security")
        await server.deliver(desk.edit("1", "Badge, key and camera", "Or card?"))
        await server.idle()
    assert (held(desk), desk.acts) == (("intake", ()), 2)


async def test_when_the_text_changes_only_our_own_move_is_replaced(parts: Parts, desk: Desk) -> None:
    put(parts, Stage.ASSIGN)
    put(parts, Stage.ASSIGN, "Electrician")
    async with running(parts, desk) as server:
        await file(server)
        await server.deliver(desk.edit("1", "Socket, lamp and breaker"))
        await server.idle()
    group, tags = held(desk)
    assert (group, tags) == ("ELE", ("role-network",))  # a second role's tag would say two things


@pytest.mark.parametrize("fault", [Ambiguous("time-out"), Transient("503")])
async def test_a_change_that_fails_is_made_in_the_end_and_once(
    parts_for: Callable[..., Parts], desk: Desk, fault: Exception
) -> None:
    parts = parts_for(work={"settle_seconds": 0.05, "retry_seconds": [0.05]}, triage={"silent_below": 0.2})
    put(parts, Stage.ASSIGN)
    desk.capabilities = replace(CAPABILITIES, changes=frozenset({Field.GROUP}))
    async with running(parts, desk) as server:
        begun = desk.change_ticket

        async def failing(ticket_id: str, change: Any) -> None:
            desk.change_ticket = begun  # type: ignore[method-assign]
            desk.faults = [fault]  # type: ignore[list-item]
            await begun(ticket_id, change)

        desk.change_ticket = failing  # type: ignore[method-assign]
        await file(server)
    assert (held(desk), desk.acts, desk.posts) == (("NET", ()), 1, 1)


async def test_what_the_system_refuses_for_good_sets_no_event_aside(parts: Parts, desk: Desk) -> None:
    put(parts, Stage.ASSIGN)

    async def refused(_ticket_id: str, _change: Any) -> None:
        raise Permanent("403")

    desk.change_ticket = refused  # type: ignore[method-assign]
    async with running(parts, desk) as server:
        await file(server)
    assert (held(desk), desk.posts) == (("intake", ()), 1)
    assert {row.outcome for row in rows(parts, Action)} == {"refused"}


async def test_a_role_is_lowered_before_its_next_ticket_when_people_took_three_back(polled: Parts, desk: Desk) -> None:
    put(polled, Stage.ASSIGN)
    async with running(polled, desk) as server:
        for number in ("1", "2", "3"):
            await file(server)
            assert held(desk, number) == ASSIGNED
            desk.change(number, group="intake")
            await server.look()
        await file(server)
    assert held(desk, "4") == TAGGED
    last = rows(polled, StageMove)[-1]
    assert (last.role, last.before, last.stage, last.who, last.why, last.right, last.count) == (
        *(NETWORK, "assign", "tag", "", "people", 0, 3),
    )


async def test_in_a_pause_and_in_a_shadowed_queue_nothing_is_changed(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    silent = {"silent_below": 0.2, "shadow": {"django-helpdesk": ["night"]}}
    parts = parts_for(triage=silent)
    put(parts, Stage.ASSIGN)
    async with running(parts, desk) as server:
        await file(server, group="night")
        await parts.database.write(comments.pause, "audit")
        await file(server)
        assert desk.acts == 0
