"""What people change in place, and no event tells, is found by the poll: notes, tickets, groups, states."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import select

from agent.core import Parts
from agent.domain import Strength
from agent.store import tickets
from agent.store.tables import Review
from connectors.events import Visibility
from tests.desk import Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio


@pytest.fixture
def parts(parts_for: Callable[..., Parts]) -> Parts:
    """Assemble an installation that polls all the time."""
    return parts_for(work={"settle_seconds": 0.2, "poll_seconds": 0.05}, triage={"silent_below": 0.2})


@pytest.fixture
def desk() -> Desk:
    return Desk(source="django-helpdesk")  # the roles name its queues


async def file(server: Running, subject: str = "VPN is down", group: str = "NET") -> None:
    await server.deliver(server.desk.create(subject, group=group))
    await server.idle()
    await server.look()


async def say(server: Running, text: str, internal: bool = True, author: str = "tech") -> str | None:
    """Reply to the only ticket and return the message's id."""
    event = server.desk.reply("1", text, author, internal)
    await server.deliver(event)
    await server.idle()
    return event.message.id if event.message else None


def verdict(server: Running) -> Review | None:
    return server.parts.database.call(tickets.review_that_counts, "django-helpdesk:1")


def roles(server: Running) -> list[str] | None:
    review = verdict(server)
    return review.roles if review else None


def comment(desk: Desk) -> str:
    (only,) = desk.comments("1")
    return only.text


async def test_an_edited_command_counts_as_it_reads_now_and_again_after_another_edit(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await file(server)
        number = await say(server, "/role Electrician")
        for text, expected in (("/role Plumbing", "Plumbing & HVAC"), ("/role Electrician", "Electrician")) * 2:
            desk.rewrite("1", number, text)
            await server.look()
            assert roles(server) == [expected]
            assert f"**Role: {expected}**" in comment(desk)


async def test_a_command_that_was_edited_before_the_first_look_counts_as_it_reads_now(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down", group="NET"))
        await server.idle()
        number = await say(server, "/role Electrician")
        desk.rewrite("1", number, "/role Plumbing")
        await server.look()
        assert roles(server) == ["Plumbing & HVAC"]


async def test_chatter_that_becomes_a_command_counts_and_a_command_that_becomes_chatter_is_undone(
    parts: Parts, desk: Desk
) -> None:
    async with running(parts, desk) as server:
        await file(server)
        number = await say(server, "looks like a fuse to me")
        desk.rewrite("1", number, "/role Electrician")
        await server.look()
        assert roles(server) == ["Electrician"]
        desk.rewrite("1", number, "looks like a fuse to me")
        await server.look()
        assert verdict(server) is None
        assert "I took the last answer back" in comment(desk)
        assert "Network" in comment(desk)


async def test_deleting_the_note_of_a_command_undoes_it_and_only_it(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await file(server)
        await say(server, "/role Electrician")
        number = await say(server, "/role Plumbing")
        assert roles(server) == ["Plumbing & HVAC"]
        desk.remove("1", number)
        await server.look()
        assert roles(server) == ["Electrician"]
        assert "**Role: Electrician**" in comment(desk)


async def test_deleting_a_note_that_took_an_answer_back_lets_the_answer_stand(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await file(server)
        await say(server, "/role Electrician")
        number = await say(server, "/role undo")
        assert verdict(server) is None
        desk.remove("1", number)
        await server.look()
        assert roles(server) == ["Electrician"]


async def test_deleted_chatter_and_our_own_comment_change_nothing(parts: Parts, desk: Desk) -> None:
    """Control."""
    async with running(parts, desk) as server:
        await file(server)
        await say(server, "/role Electrician")
        desk.remove("1", await say(server, "thanks"))
        desk.remove("1", desk.comments("1")[0].id)
        await server.look()
        assert roles(server) == ["Electrician"]
        assert desk.comments("1") == []


async def test_a_command_that_is_made_private_later_counts(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await file(server)
        number = await say(server, "/role Electrician", internal=False)
        assert "please make that note private" in comment(desk)
        desk.rewrite("1", number, "/role Electrician", visibility=Visibility.STAFF_ONLY)
        await server.look()
        assert roles(server) == ["Electrician"]
        assert "please make that note private" not in comment(desk)


async def test_an_edited_note_of_somebody_who_is_not_staff_teaches_nothing(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await file(server)
        number = await say(server, "help", author="customer")
        desk.rewrite("1", number, "/role Electrician")
        await server.look()
        assert verdict(server) is None


async def test_our_comment_follows_a_ticket_that_was_edited_in_place(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await file(server)
        assert "Network" in comment(desk)
        for subject, role in (("Socket sparks", "Electrician"), ("VPN is down", "Network"), ("Socket sparks", "Elec")):
            desk.change("1", subject=subject)
            await server.look()
            assert role in comment(desk).split("\n")[0]
        (example,) = [t.subject for t in parts.database.call(lambda s: s.exec(select(tickets.Ticket)).all())]
        assert example == "VPN is down"


async def test_a_ticket_that_was_edited_before_the_first_look_is_noticed_too(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down", group="NET"))
        await server.idle()
        desk.change("1", subject="Socket sparks")
        await server.look()
        assert "Electrician" in comment(desk)


async def test_after_staff_have_spoken_an_edit_changes_nothing(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await file(server)
        await say(server, "/role Plumbing")
        desk.change("1", subject="Socket sparks")
        await server.look()
        assert "**Role: Plumbing & HVAC**" in comment(desk)


async def test_a_move_to_another_roles_group_is_a_review_between_closure_and_command(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await file(server)
        desk.change("1", group="ELE")
        await server.look()
        review = verdict(server)
        assert review is not None
        assert (review.roles, review.strength) == (["Electrician"], Strength.MOVED)
        assert comment(desk).startswith("**Role: Electrician** (moved there by staff; suggested was Network)")
        await server.deliver(desk.close("1", "PLU"))
        await server.idle()
        assert roles(server) == ["Electrician"]
        await say(server, "/role Plumbing")
        assert roles(server) == ["Plumbing & HVAC"]


@pytest.mark.parametrize("group", ["NET", "NOBODYS"])
async def test_a_move_into_the_suggested_or_into_nobodys_group_says_nothing(
    parts: Parts, desk: Desk, group: str
) -> None:
    async with running(parts, desk) as server:
        await file(server, group="GEN")
        desk.change("1", group=group)
        await server.look()
        assert verdict(server) is None


async def test_after_a_silent_reopening_the_closure_counts_no_more_and_the_next_one_does(
    parts: Parts, desk: Desk
) -> None:
    async with running(parts, desk) as server:
        await file(server)
        for group, role in (("NET", "Network"), ("ELE", "Electrician"), ("NET", "Network")):
            desk.change("1", closed=True, group=group)
            await server.look()
            assert roles(server) == [role]
            desk.change("1", closed=False)
            await server.look()
            assert roles(server) in (None, ["Electrician"])  # the move into its group stands
        await say(server, "/role Plumbing")
        assert roles(server) == ["Plumbing & HVAC"]


async def test_a_closure_that_is_over_by_the_time_it_is_worked_on_gives_no_label(parts: Parts, desk: Desk) -> None:
    """The helpdesk's word on the state counts."""
    async with running(parts, desk) as server:
        await file(server)
        event = desk.close("1", "ELE")
        desk.change("1", closed=False)
        await server.deliver(event)
        await server.idle()
        assert verdict(server) is None


async def test_a_poll_is_not_what_changes_anything(parts: Parts, desk: Desk) -> None:
    """Control: looking again and again at the same finds nothing."""
    async with running(parts, desk) as server:
        await file(server)
        await say(server, "/role Electrician")
        posts, edits = desk.posts, desk.edits
        for _ in range(3):
            await server.look()
        assert (desk.posts, desk.edits) == (posts, edits)
        assert len(parts.database.call(lambda s: s.exec(select(Review)).all())) == 1
