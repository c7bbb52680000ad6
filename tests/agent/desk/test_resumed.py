"""After a pause, comments show what they did not show meanwhile: each once, oldest first, within the hour's budget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from time import monotonic

import pytest
from sqlmodel import Session, select

from agent.core import Parts
from agent.desk.budget import LOOK_AGAIN_SECONDS
from agent.store import comments, coordination, inbox, resumption, status
from agent.store.tables import Inbox, utcnow
from tests.desk import Desk
from tests.patience import until
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

Turn = Callable[[timedelta], None]


@pytest.fixture
def turn(monkeypatch: pytest.MonkeyPatch) -> Turn:
    """Turn every clock of the agent forward."""
    monkeypatch.setattr(coordination, "_looked", None)
    return lambda by: monkeypatch.setattr(coordination, "_looked", (utcnow() + by, monotonic()))


@pytest.fixture
def installed(database_url: str, parts_for: Callable[..., Parts]) -> Parts:
    """An installation on either database."""
    url = {} if database_url.startswith("sqlite") else {"database_url": database_url}
    return parts_for(work={"settle_seconds": 0.2}, triage={"silent_below": 0.2}, **url)


def limited(parts_for: Callable[..., Parts], comments_per_hour: int) -> Parts:
    """Return an installation, or a restarted one, with a budget."""
    brakes = {"comments_per_hour": comments_per_hour}
    return parts_for(work={"concurrency": 1, "settle_seconds": 0.2}, triage={"silent_below": 0.2}, brakes=brakes)


def pause(parts: Parts, reason: str = "by hand") -> None:
    parts.database.call(comments.pause, reason)


def resume(parts: Parts, *sources: str) -> int:
    return parts.database.call(resumption.resume, sources or ("desk",), utcnow())


async def put_off(server: Running) -> None:
    """Wait until no event is in work or due."""

    def calm() -> bool:
        due = server.parts.database.call(inbox.next_due)
        return "working" not in server.parts.database.call(status.counts) and (due is None or due > utcnow())

    await until(calm)


def first_lines(desk: Desk) -> dict[str, list[str]]:
    return {number: [comment.text.splitlines()[0] for comment in desk.comments(number)] for number in desk.tickets}


async def test_a_correction_and_a_new_ticket_of_the_pause_show_after_it(installed: Parts, desk: Desk) -> None:
    parts = installed
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        pause(parts)
        await server.deliver(desk.reply("1", "/role Electrician"), desk.create("VPN is down again"))
        await server.idle()
        assert (desk.posts, desk.edits) == (1, 0)
        parts.database.call(comments.resume)  # the control: without what is left to do, nothing is ever shown
        await server.idle()
        assert (desk.posts, desk.edits) == (1, 0)
        pause(parts)
        await server.deliver(desk.reply("1", "/role Electrician"), desk.create("VPN is down once more"))
        await server.idle()
        assert resume(parts) == 2
        await server.idle()
    shown = first_lines(desk)
    assert shown["1"][0].startswith("**Role: Electrician**")
    assert [len(shown[number]) for number in "123"] == [1, 0, 1]
    assert (desk.posts, desk.edits) == (2, 1)


async def test_resuming_twice_or_with_nothing_new_says_nothing_twice(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        pause(parts)
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        assert [resume(parts), resume(parts)] == [1, 0]
        await server.idle()
        pause(parts)
        assert resume(parts) == 0
        pause(parts)
        await server.deliver(desk.reply("1", "I look at it"))
        await server.idle()
        assert resume(parts) == 1
        await server.idle()
    assert (desk.posts, desk.edits) == (1, 0)


async def test_a_second_pause_does_not_forget_the_first(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        pause(parts)
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        pause(parts, "another reason")
        assert parts.database.call(comments.paused) == "another reason"
        assert resume(parts) == 1
        await server.idle()
    assert desk.posts == 1


async def test_closed_tickets_without_a_comment_and_those_that_are_gone_are_left_alone(
    parts: Parts, desk: Desk
) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        pause(parts)
        await server.deliver(desk.reply("1", "/role Electrician"), *[desk.create("VPN is down") for _ in range(3)])
        await server.idle()
        desk.close("1")
        desk.close("2")
        del desk.tickets["3"]
        assert resume(parts) == 4
        await server.idle()
        assert not parts.database.call(status.counts)
    shown = first_lines(desk)
    assert [len(shown[number]) for number in "124"] == [1, 0, 1]
    assert shown["1"][0].startswith("**Role: Electrician**")


async def test_a_connector_that_is_gone_is_not_caught_up_on(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        pause(parts)
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        assert resume(parts, "another") == 0


async def test_edits_and_new_comments_share_the_budget_oldest_first_and_survive_a_restart(
    parts_for: Callable[..., Parts], desk: Desk, turn: Turn
) -> None:
    start = partial(limited, parts_for, 2)
    parts = start()
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"), desk.create("VPN is down"))
        await server.idle()
        pause(parts)
        await server.deliver(desk.create("VPN is down"), desk.create("VPN is down"), desk.create("VPN is down"))
        await server.deliver(desk.reply("2", "/role Electrician"), desk.reply("1", "/role Electrician"))
        await server.idle()
        assert resume(parts) == 5
        await put_off(server)
        assert (desk.posts, desk.edits) == (2, 0)
    done = []
    for _ in range(3):
        turn(timedelta(hours=1, minutes=1))
        parts = start()
        async with running(parts, desk) as server:
            await put_off(server)
        shown = first_lines(desk)
        done.append([number for number in "12345" if shown[number] and (number > "2" or "Elec" in shown[number][0])])
    assert done == [["1", "2"], ["1", "2", "3", "4"], ["1", "2", "3", "4", "5"]]


async def test_a_command_does_not_wait_for_the_budget_with_the_ticket(
    parts_for: Callable[..., Parts], desk: Desk, turn: Turn
) -> None:
    parts = limited(parts_for, 1)
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        pause(parts)
        await server.deliver(desk.reply("1", "I look at it"))
        await server.idle()
        resume(parts)
        await put_off(server)
        await server.deliver(desk.reply("1", "/role Electrician"))
    turn(timedelta(seconds=LOOK_AGAIN_SECONDS + 1))
    parts = limited(parts_for, 1)
    async with running(parts, desk) as server:
        await until(lambda: desk.edits == 1)
        await put_off(server)
        assert parts.database.call(status.counts) == {"waiting": 1}
    assert first_lines(desk)["1"][0].startswith("**Role: Electrician**")


async def test_a_pause_while_tickets_are_caught_up_on_leaves_them_for_the_next_resume(
    parts_for: Callable[..., Parts], desk: Desk, turn: Turn
) -> None:
    parts = limited(parts_for, 1)
    async with running(parts, desk) as server:
        pause(parts)
        await server.deliver(desk.create("VPN is down"), desk.create("VPN is down"))
        await server.idle()
        resume(parts)
        await put_off(server)
        assert desk.posts == 1
        pause(parts)
    turn(timedelta(hours=2))
    parts = limited(parts_for, 1)
    async with running(parts, desk) as server:
        await server.idle()
        assert desk.posts == 1
        assert resume(parts) == 1
        await server.idle()
    assert desk.posts == 2


async def test_an_event_in_work_while_comments_are_resumed_is_caught_up_on(parts: Parts, desk: Desk) -> None:
    def set_in_work(session: Session) -> None:
        row = session.exec(select(Inbox)).one()
        row.state, row.done_at = "working", None

    async with running(parts, desk) as server:
        pause(parts)
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        parts.database.call(set_in_work)
        assert resume(parts) == 1
