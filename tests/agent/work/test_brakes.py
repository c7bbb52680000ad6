"""Brakes stop comments, never decisions: the pause, staff's disagreement, the hour's budget, the head start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from agent.cli import app
from agent.core import Parts
from agent.domain import Strength
from agent.store import comments, coordination, inbox, status, tickets
from agent.store.comments import Limits, Withheld
from agent.store.database import Database
from agent.store.tables import Decision, Review, utcnow
from tests.desk import Desk
from tests.patience import until
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


async def test_no_more_comments_within_an_hour_than_the_budget_allows_and_the_others_in_the_next(
    parts_for: Callable[..., Parts], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ticket that is closed by then needs none."""
    posts = []
    for hours in range(3):
        monkeypatch.setattr(coordination, "_looked", (utcnow() + timedelta(hours=1.1 * bool(hours)), monotonic()))
        parts = parts_for(work={"concurrency": 1}, triage={"silent_below": 0.2}, brakes={"comments_per_hour": 2})
        async with running(parts, desk) as server:
            if not hours:
                await server.deliver(*[desk.create("VPN is down") for _ in range(6)])
            await until(partial(calm, parts))
        desk.change("4", closed=True)
        posts.append(desk.posts)
        for number in "123456":
            row = parts.database.call(comments.get, f"desk:{number}")
            assert row is not None
            assert row.withheld == (None if desk.comments(number) else Withheld.HOURLY_LIMIT)
    assert posts == [2, 4, 5]
    assert [len(desk.comments(number)) for number in "123456"] == [1, 1, 1, 0, 1, 1]


def calm(parts: Parts) -> bool:
    """Return whether no event is in work or due."""
    due = parts.database.call(inbox.next_due)
    return "working" not in parts.database.call(status.counts) and (due is None or due > utcnow())


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


@pytest.mark.parametrize("keep_answering", [True, False])
async def test_a_pause_holds_back_suggestions_and_by_hand_answers_too_unless_they_are_kept(
    parts: Parts, desk: Desk, keep_answering: bool
) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        parts.database.call(partial(comments.pause, reason="x", keep_answering=keep_answering))
        await server.deliver(desk.reply("1", "/role Electrician"), desk.create("VPN is down again"))
        await server.idle()
    assert desk.comments("1")[0].text.startswith("**Role: Electrician**") is keep_answering
    assert desk.comments("2") == []
    assert parts.database.call(tickets.review_that_counts, "desk:1").roles == ["Electrician"]


async def test_a_pause_that_the_brakes_made_leaves_nobody_without_an_answer(parts: Parts, desk: Desk) -> None:
    limits = Limits(corrected_share=0.5, answers=2)
    for number in (7, 8):
        answer(parts, number, Strength.CORRECTED)
    assert parts.database.call(comments.brake, limits, utcnow()) is not None
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        assert desk.posts == 0
        await server.deliver(desk.reply("1", "/role Netwrok"))
        await server.idle()
    assert "I know no role `Netwrok`" in desk.comments("1")[0].text


def test_the_command_pauses_both_or_suggestions_alone(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text("")
    said = []
    (tmp_path / "data").mkdir()
    Database.open_file(tmp_path / "data" / "rolecall.sqlite3").close()
    for options in ([], ["--keep-answering"]):
        arguments = ["queue", "pause", *options, "--config", str(config), "--data", str(tmp_path / "data")]
        assert CliRunner().invoke(app, arguments).exit_code == 0
        database = Database.open_file(tmp_path / "data" / "rolecall.sqlite3")
        said.append(database.call(partial(comments.silenced, asked=True)))
        database.close()
    assert said == ["by hand", None]
