"""Brakes stop comments, never decisions: the pause, staff's disagreement, the hour's budget, the head start."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import select

from agent.core import Parts
from agent.domain import Strength
from agent.store import comments, tickets
from agent.store.comments import Limits
from agent.store.tables import Decision, Review, utcnow
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio


def decisions(parts: Parts) -> int:
    return len(parts.database.call(lambda session: session.exec(select(Decision)).all()))


def answer(parts: Parts, number: int, strength: Strength) -> None:
    review = Review(ticket_key=f"desk:{number}", roles=["Network"], strength=strength, origin="c", at=utcnow())
    assert parts.database.call(tickets.review, review)


async def test_a_pause_silences_at_once_and_decisions_go_on(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        parts.database.call(comments.pause, "by hand")
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        assert (desk.posts, decisions(parts)) == (0, 1)
        parts.database.call(comments.resume)
        await server.deliver(desk.create("VPN is down again"))
        await server.idle()
    assert (desk.posts, decisions(parts)) == (1, 2)


async def test_no_more_comments_within_an_hour_than_the_budget_allows(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    parts = parts_for(work={"concurrency": 1}, triage={"silent_below": 0.2}, brakes={"comments_per_hour": 2})
    async with running(parts, desk) as server:
        await server.deliver(*[desk.create("VPN is down") for _ in range(5)])
        await server.idle()
    assert (desk.posts, decisions(parts)) == (2, 5)


async def test_people_have_the_first_word(parts_for: Callable[..., Parts], desk: Desk) -> None:
    parts = parts_for(triage={"silent_below": 0.2}, brakes={"head_start_minutes": 0.02})
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"), desk.close("1"))
        await server.idle()
    assert desk.posts == 0


def test_staff_who_keep_correcting_pause_the_comments_until_a_person_resumes(parts: Parts) -> None:
    limits = Limits(corrected_share=0.75, answers=4)
    seen = []
    for number, strength in enumerate([Strength.CONFIRMED, *[Strength.CORRECTED] * 3]):
        answer(parts, number, strength)
        seen.append(parts.database.call(comments.brake, limits, utcnow()))
    assert seen == [None, None, None, "staff corrected 3 of the latest 4 answers"]
    assert parts.database.call(comments.paused) == seen[-1]
    parts.database.call(comments.resume)
    assert parts.database.call(comments.brake, limits, utcnow()) is None
