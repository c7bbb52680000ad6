"""Tickets that are merged end with one comment, which shows what staff said on either of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.core import Parts
from agent.store import comments, resumption, tickets
from agent.store.tables import utcnow
from connectors.base import LOOK_BACK, Poll
from connectors.errors import Ambiguous
from tests.desk import CAPABILITIES, Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

UNCLEAR = "Hello there, could somebody call me back about the thing of yesterday?"


@pytest.fixture
def parts(parts_for: Callable[..., Parts]) -> Parts:
    """Assemble an installation that polls all the time, and pauses once two of two answers are corrections."""
    return parts_for(
        work={"settle_seconds": 0.2, "poll_seconds": 0.05}, triage={"silent_below": 0.2}, brakes={"answers": 2}
    )


async def file(server: Running, *subjects: str) -> None:
    await server.deliver(*[server.desk.create(subject) for subject in subjects])
    await server.idle()
    await server.look()


async def say(server: Running, number: str, text: str) -> str | None:
    event = server.desk.reply(number, text)
    await server.deliver(event)
    await server.idle()
    return event.message.id if event.message else None


def roles(server: Running, number: str) -> list[str] | None:
    review = server.parts.database.call(tickets.review_that_counts, f"{server.desk.source}:{number}")
    return review.roles if review else None


def heads(desk: Desk, number: str) -> list[str]:
    return [comment.text.splitlines()[0] for comment in desk.comments(number)]


async def test_of_several_comments_one_stays_and_one_that_comes_to_a_ticket_without_becomes_its_own(
    parts: Parts, desk: Desk
) -> None:
    async with running(parts, desk) as server:
        await file(server, "VPN is down", "Socket sparks", UNCLEAR, "VPN is down", "Socket sparks", "VPN is down")
        desk.merge("1", into="2")
        assert len(heads(desk, "2")) == 2  # the control: by itself, the helpdesk shows both
        assert heads(desk, "3") == []
        desk.merge("4", into="3")
        ours = desk.comments("5")[0]
        desk.rewrite("5", ours.id, f"Kim knows more.\n\n{ours.text}")
        desk.merge("5", into="6")
        await server.look()
        assert ["Electrician" in head for head in heads(desk, "2")] == [True]
        assert ["Network" in head for head in heads(desk, "3")] == [True]
        assert sorted(head == "Kim knows more." for head in heads(desk, "6")) == [False, True]
        assert sum("rolecall-" in comment.text for comment in desk.comments("6")) == 1
        assert (desk.posts, desk.removals) == (5, 1)
        desk.merge("2", into="3")
        desk.merge("6", into="3")
        await server.look()
        assert len([head for head in heads(desk, "3") if head != "Kim knows more."]) == 1
        await say(server, "3", "/role ok")
        assert roles(server, "3") == ["Network"]
        before = desk.edits, desk.removals
        await server.look()
        assert (desk.edits, desk.removals, desk.posts) == (*before, 5)


async def test_what_staff_said_on_either_counts_and_on_the_one_that_goes_on_most(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await file(server, "VPN is down", "VPN is down again", "VPN is down")
        number = await say(server, "1", "/role Plumbing")
        desk.merge("1", into="2")
        await server.look()
        assert roles(server, "2") == ["Plumbing & HVAC"]
        assert [head.startswith("**Role: Plumbing & HVAC**") for head in heads(desk, "2")] == [True]
        await file(server, "VPN is down once more")
        assert len(heads(desk, "4")) == 1  # it is no second correction for the brakes
        desk.remove("2", number)
        await server.look()
        assert roles(server, "2") is None
        assert "Network" in heads(desk, "2")[0]
        await say(server, "2", "/role Electrician")
        await say(server, "3", "/role Plumbing")
        desk.merge("3", into="2")
        await server.look()
        assert roles(server, "2") == ["Electrician"]
        assert [head[:21] for head in heads(desk, "2")] == ["**Role: Electrician**"]
        await file(server, "VPN is down for good")
        assert heads(desk, "5") == []  # the control: these were two


class Halfway(Desk):
    """A desk that the first look after a merging sees in the middle of it: the messages have gone, nothing else."""

    halfway: str | None = None

    def merge(self, number: str, into: str) -> None:
        super().merge(number, into)
        self.halfway = number

    async def poll(self, watermark: str | None, look_back: timedelta = LOOK_BACK) -> Poll:
        poll, number = await super().poll(watermark, look_back), self.halfway
        self.halfway = None
        seen = (replace(t, closed=False, merged_into=None) if t.id == number else t for t in poll.tickets)
        return replace(poll, tickets=tuple(seen))


async def test_what_staff_said_moves_though_a_look_came_in_the_middle(parts: Parts) -> None:
    desk = Halfway()
    async with running(parts, desk) as server:
        await file(server, "VPN is down", "Socket sparks")
        await say(server, "1", "/role Plumbing")
        desk.merge("1", into="2")
        await server.look()
        await server.look()
        assert roles(server, "2") == ["Plumbing & HVAC"]


async def test_where_nothing_can_be_removed_the_other_comment_is_pointed_to(parts: Parts, desk: Desk) -> None:
    desk.capabilities = replace(CAPABILITIES, removes_comments=False)
    async with running(parts, desk) as server:
        await file(server, "VPN is down", "Socket sparks")
        desk.merge("1", into="2")
        await server.look()
        assert "This was about ticket 1, which was merged into this one: see my other comment." in heads(desk, "2")
        edits = desk.edits
        await say(server, "2", "/role Plumbing")
        assert (desk.edits, desk.removals, len(heads(desk, "2"))) == (edits + 1, 0, 2)


class Losing(Desk):
    """A desk that removes comments without a word."""

    async def remove_comment(self, ticket_id: str, comment_id: str) -> None:
        await super().remove_comment(ticket_id, comment_id)
        raise Ambiguous("no answer")


async def test_a_pause_holds_back_and_a_lost_answer_is_looked_at_before_it_is_repeated(parts: Parts) -> None:
    desk = Losing()
    async with running(parts, desk) as server:
        await file(server, "VPN is down", "Socket sparks", "VPN is down", "Socket sparks")
        parts.database.call(comments.pause, "by hand")
        desk.merge("1", into="2")
        ours = desk.comments("3")[0]
        desk.change("4", messages=(*desk.tickets["4"].messages, ours))  # a person moved it: that is no merging
        desk.remove("3", ours.id)
        await server.look()
        assert len(heads(desk, "2")) == 2
        parts.database.call(resumption.resume, ("desk",), utcnow())
        await server.idle()
        await say(server, "4", "/role Plumbing")
    assert desk.removals == 1
    assert [len(heads(desk, number)) for number in "1234"] == [0, 1, 0, 2]
