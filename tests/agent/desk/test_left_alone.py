"""Tickets that the settings leave alone: nothing is said, kept or learnt, the reason is recorded, and staff may ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from agent.config.settings import TriageSettings
from agent.core import Parts
from agent.desk.desk import left_alone
from agent.domain import Reason
from agent.notes.decided import decided
from agent.store import status, tickets
from agent.store.tables import Decision, Review, Ticket
from connectors.events import Ticket as RemoteTicket
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

HR, POST = {"ignore": {"queues": {"desk": "HR"}}}, {"ignore": {"senders": ["*@Monitoring.example"]}}
PILOT = {"only": {"desk": ["net", "intake"]}}


def of(group: str | None = None, requester: str | None = None, tags: tuple[str, ...] | None = None) -> RemoteTicket:
    return RemoteTicket("1", "s", "b", group=group, requester=requester, tags=tags)


@pytest.mark.parametrize(
    ("settings", "ticket", "filed", "reason"),
    [
        ({}, of("hr"), None, None),
        (HR, of("hr"), None, Reason.IGNORED_QUEUE),
        (HR, of("it"), "hr", None),
        (HR, of(), None, None),
        (POST, of("it", " bot@monitoring.example"), None, Reason.IGNORED_SENDER),
        (POST, of("it", "bot@monitoring.example.org"), None, None),
        (POST, of("it"), None, None),
        ({"ignore": {"senders": ["*"]}}, of("it"), None, None),
        ({"ignore": {"senders": ["a.b@x"]}}, of(requester="aXb@x"), None, None),
        ({"ignore": {"tags": ["Spam"]}}, of(tags=("vip", "spam")), None, Reason.IGNORED_TAG),
        ({"ignore": {"tags": ["spam"]}}, of(), None, None),
        (PILOT, of("NET"), None, None),
        (PILOT, of("ELE"), "Intake", None),
        (PILOT, of("ELE"), None, Reason.OUTSIDE_PILOT),
        (PILOT, of(), None, Reason.OUTSIDE_PILOT),
        ({"only": {"plant": ["net"]}}, of("net"), None, Reason.OUTSIDE_PILOT),
    ],
)
def test_who_is_left_alone(settings: Any, ticket: RemoteTicket, filed: str | None, reason: Reason | None) -> None:
    assert left_alone(TriageSettings.model_validate(settings), "desk", ticket, [filed]) is reason


async def test_nothing_is_said_kept_or_learnt_and_staff_who_ask_are_answered(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    parts = parts_for(work={"settle_seconds": 0.2}, triage={"silent_below": 0.2, **HR})
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down", group="hr"), desk.create("VPN is down", group="it"))
        await server.deliver(desk.edit("1", "VPN is still down"), desk.reply("1", "thanks"))
        await server.idle()
        await server.deliver(desk.close("1", "hr"))
        await server.idle()
        assert [len(desk.comments(number)) for number in "12"] == [0, 1]  # the second is the control
        assert [t.key for t in parts.database.call(lambda s: s.exec(select(Ticket)).all())] == ["desk:2"]
        assert parts.database.call(lambda s: s.exec(select(Review)).all()) == []
        (row,) = parts.database.call(tickets.latest_decisions, 9, "desk:1")
        assert decided(row) == "Rolecall is set to leave its queue alone."
        assert parts.database.call(status.left_alone) == {"ignored_queue": 1}
        desk.reopen("1")
        await server.deliver(desk.reply("1", "/role why"))
        await server.idle()
        (comment,) = desk.comments("1")
        assert comment.text.startswith("No suggestion. Rolecall is set to leave its queue alone. Whoever runs Rolecall")
        await server.deliver(desk.reply("1", "/role Electrician"))
        await server.idle()
        assert desk.comments("1")[0].text.startswith("**Role: Electrician** (said by staff)")
        await server.deliver(desk.reply("1", "/role undo"))
        await server.idle()
        assert desk.comments("1")[0].text.startswith("I took the last answer back.")


async def test_a_pilot_goes_on_where_its_tickets_are_moved_to_and_a_shadow_stays_in_its_queue(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    shadow = {"shadow": {"desk": ["night"]}}
    only = {"only": {"desk": ["intake", "night"]}}
    parts = parts_for(work={"settle_seconds": 0.2}, triage={"silent_below": 0.2, **only, **shadow})
    async with running(parts, desk) as server:
        await server.deliver(*(desk.create("VPN is down", group=group) for group in ("intake", "night", "other")))
        await server.idle()
        desk.change("1", group="ele")
        await server.deliver(desk.edit("1", "Socket sparks"), desk.reply("2", "/role Plumbing"))
        await server.idle()
    assert [len(desk.comments(number)) for number in "123"] == [1, 0, 0]
    assert "Electrician" in desk.comments("1")[0].text
    decisions = parts.database.call(lambda s: s.exec(select(Decision).order_by(Decision.ticket_key)).all())
    assert {(d.ticket_key, d.reason) for d in decisions} >= {("desk:2", ""), ("desk:3", "outside_pilot")}
    review = parts.database.call(tickets.review_that_counts, "desk:2")
    assert review is not None
    assert review.roles == ["Plumbing & HVAC"]
