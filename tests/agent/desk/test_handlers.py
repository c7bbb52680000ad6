"""What the desk does about edits and reopenings, in the shadow, and how often it reads a ticket for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import select

from agent.core import Parts
from agent.domain import Strength, Via
from agent.store import tickets
from agent.store.tables import Comment, Decision, Review, Ticket
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio


def rows(parts: Parts, table: type) -> list:
    return list(parts.database.call(lambda session: session.exec(select(table)).all()))


async def test_every_event_reads_its_ticket_once_and_chatter_not_at_all(parts: Parts, desk: Desk) -> None:
    reads = []
    async with running(parts, desk) as server:
        for event in (
            lambda: desk.create("VPN is down"),
            lambda: desk.reply("1", "thanks"),
            lambda: desk.reply("1", "/role Netwrok"),
            lambda: desk.edit("1", "VPN is down, still"),
            lambda: desk.reply("1", "/role Electrician"),
            lambda: desk.close("1"),
            lambda: desk.reopen("1"),
        ):
            desk.reads = 0
            await server.deliver(event())
            await server.idle()
            reads.append(desk.reads)
    assert reads == [1, 0, 1, 1, 1, 1, 1]
    assert desk.posts == 1


async def test_our_comment_follows_an_edited_ticket_and_the_text_as_filed_still_teaches(
    parts: Parts, desk: Desk
) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        await server.deliver(desk.edit("1", "Socket sparks", "the outlet in room 3"))
        await server.idle()
        await server.deliver(desk.reply("1", "/role ok"))
        await server.idle()
    (comment,) = desk.comments("1")
    assert "Electrician" in comment.text
    assert [decision.roles for decision in rows(parts, Decision)] == [["Network"], ["Electrician"]]
    (review,) = rows(parts, Review)
    assert (review.roles, review.strength, review.via) == (["Electrician"], Strength.CONFIRMED, Via.COMMAND)
    (ticket,) = rows(parts, Ticket)
    assert (ticket.subject, ticket.body) == ("VPN is down", "")


async def test_an_edit_that_says_nothing_new_and_one_that_says_nothing_change_nothing(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    parts = parts_for()
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down, VPN gateway"))
        await server.idle()
        before = desk.comments("1")
        assert before
        await server.deliver(desk.edit("1", "VPN is down, VPN gateway", "VPN"))
        await server.idle()
        await server.deliver(desk.edit("1", "hello there"))
        await server.idle()
    assert desk.comments("1") == before
    assert rows(parts, Decision)[-1].outcome != "none"


@pytest.mark.parametrize("spoken", ["/role Plumbing", None], ids=["staff have spoken", "it is closed"])
async def test_after_staff_have_spoken_or_closed_an_edit_changes_nothing(
    parts: Parts, desk: Desk, spoken: str | None
) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        await server.deliver(desk.reply("1", spoken) if spoken else desk.close("1"))
        await server.idle()
        before = desk.comments("1")
        await server.deliver(desk.edit("1", "Socket sparks"))
        await server.idle()
    assert desk.comments("1") == before
    assert len(rows(parts, Decision)) == 1


async def test_a_reopened_tickets_closure_is_no_label_until_the_next_closure(parts: Parts, desk: Desk) -> None:
    desk.source = "django-helpdesk"  # the roles name its queues
    key = "django-helpdesk:1"
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        await server.deliver(desk.close("1", "NET"))
        await server.idle()
        assert parts.database.call(tickets.review_that_counts, key).roles == ["Network"]
        event = desk.reopen("1")
        for _ in range(2):
            await server.deliver(event)
            await server.idle()
        assert parts.database.call(tickets.review_that_counts, key) is None
        assert parts.database.call(tickets.reviewed, parts.classifier.catalogue) == []
        assert rows(parts, Ticket)[0].closed_at is None
        assert len(rows(parts, Review)) == 2
        desk.change("1", assignee="kim")
        await server.deliver(desk.close("1", "ELE"))
        await server.idle()
    assert parts.database.call(tickets.review_that_counts, key).roles == ["Electrician"]
    reviewed = parts.database.call(tickets.reviewed, parts.classifier.catalogue)
    assert [(example.roles, example.reviewer) for example in reviewed] == [(("Electrician",), "kim")]
    assert rows(parts, Ticket)[0].closed_at is not None


async def test_what_staff_said_in_words_outlives_a_reopening(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"), desk.reply("1", "/role Plumbing"), desk.close("1"))
        await server.idle()
        await server.deliver(desk.reopen("1"))
        await server.idle()
    assert parts.database.call(tickets.review_that_counts, "desk:1").roles == ["Plumbing & HVAC"]


async def test_a_reopening_of_a_ticket_without_a_label_leaves_no_trace(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"), desk.close("1"))
        await server.idle()
        await server.deliver(desk.reopen("1"))
        await server.idle()
    assert rows(parts, Review) == []


async def test_in_the_shadow_the_note_that_would_have_been_posted_is_recorded(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    parts = parts_for(triage={"shadow": True, "silent_below": 0.2})
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        (first,) = rows(parts, Comment)
        await server.deliver(desk.reply("1", "/role Electrician"))
        await server.idle()
    (last,) = rows(parts, Comment)
    assert first.text.startswith("**Role: ")
    assert "`vpn`" in first.text
    assert last.text.startswith("**Role: Electrician** (said by staff; suggested was Network)")
    assert (desk.posts, desk.edits) == (0, 0)
