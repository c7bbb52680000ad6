"""What staff's commands do, on the ticket and to what was learnt, and what is answered where one does not count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlmodel import select

from agent.core import Parts
from agent.domain import Strength
from agent.store import comments, tickets
from agent.store.tables import Review
from connectors.events import Event
from tests.desk import Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio


def reviews(parts: Parts) -> list[tuple[list[str], int]]:
    found = parts.database.call(lambda session: session.exec(select(Review).order_by(Review.id)).all())
    return [(review.roles, review.strength) for review in found if review.withdrawn is None]


async def told(server: Running, *events: Event) -> str:
    """Deliver events one after the other, and return what our comment on the first ticket then says."""
    for event in events:
        await server.deliver(event)
        await server.idle()
    return "".join(comment.text for comment in server.desk.comments("1"))


async def test_none_of_ours_is_a_label_without_a_role(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        comment = await told(server, desk.create("VPN is down"), desk.reply("1", "/role none"))
    assert comment.startswith("**None of our roles** (said by staff)")
    assert reviews(parts) == [([], Strength.CORRECTED)]
    verdict = parts.database.call(tickets.review_that_counts, "desk:1")
    assert (verdict.roles, verdict.rejected) == ([], ["Network"])
    assert parts.database.call(tickets.reviewed, parts.classifier.catalogue) == []


@pytest.mark.parametrize("quoted", ["> {}", "On Mon, 3 Mar 2025, Bot wrote:\n\n{}", "<blockquote>{}</blockquote>"])
async def test_a_command_above_our_quoted_comment_counts_and_our_comment_alone_does_not(
    parts: Parts, desk: Desk, quoted: str
) -> None:
    async with running(parts, desk) as server:
        comment = await told(server, desk.create("VPN is down"))
        lines = "\n> ".join(comment.split("\n")) if quoted.startswith(">") else comment
        await told(server, desk.reply("1", f"/role Network\n{comment}"), desk.reply("1", comment))
        assert reviews(parts) == []
        await told(server, desk.reply("1", f"/role Electrician\n\n{quoted.format(lines)}"))
    assert reviews(parts) == [(["Electrician"], Strength.CORRECTED)]


async def test_none_of_ours_where_nothing_was_suggested_is_no_correction(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await told(server, desk.create("Hello"), desk.reply("1", "/role none"))
    assert reviews(parts) == [([], Strength.CONFIRMED)]


async def test_undo_takes_back_one_answer_at_a_time_and_the_comment_follows(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        first = await told(server, desk.create("VPN is down"))
        await told(server, desk.reply("1", "/role Electrician"), desk.reply("1", "/role Plumbing"))
        undo = desk.reply("1", "/role undo")
        back = await told(server, undo, undo)
        assert back.startswith("**Role: Electrician** (said by staff; suggested was Network)")
        assert "I took the last answer back." in back
        assert reviews(parts) == [(["Electrician"], Strength.CORRECTED)]
        blank = await told(server, desk.reply("1", "/role undo"))
        assert blank.splitlines()[0] == first.splitlines()[0]
        assert parts.database.call(tickets.review_that_counts, "desk:1") is None
        assert "There is no answer to take back." in await told(server, desk.reply("1", "role undo"))


async def test_undo_leaves_closures_alone(parts: Parts, desk: Desk) -> None:
    desk.source = "django-helpdesk"  # the roles name its queues
    async with running(parts, desk) as server:
        await told(server, desk.create("VPN is down"), desk.close("1", "NET"), desk.reply("1", "/role Electrician"))
        await told(server, desk.reply("1", "/role undo"), desk.reply("1", "/role undo"))
    assert parts.database.call(tickets.review_that_counts, "django-helpdesk:1").roles == ["Network"]


async def test_why_shows_the_evidence_and_teaches_nothing(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        comment = await told(server, desk.create("VPN is down"), desk.reply("1", "/role why"))
    assert comment.startswith("**Role: ")
    assert "Rule `vpn`, weight 2.5, speaks for Network: it found `vpn`." in comment
    assert "; together " in comment
    assert "Network is clear from 90 %" in comment
    assert reviews(parts) == []


async def test_why_on_a_ticket_without_a_suggestion_says_what_is_missing(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        comment = await told(server, desk.create("The plant in the hall is dying"), desk.reply("1", "/role why"))
    assert "No rule hit." in comment
    assert "No suggestion. No model yet, no rule hits, and no reviewed ticket is like it." in comment


async def test_ok_confirms_what_our_comment_says_and_not_what_it_once_suggested(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await told(server, desk.create("VPN is down"), desk.reply("1", "/role Electrician"))
        comment = await told(server, desk.reply("1", "/role ok", author="kim"))
    assert [roles for roles, _ in reviews(parts)] == [["Electrician"], ["Electrician"]]
    assert comment.startswith("**Role: Electrician**")


async def test_ok_written_before_our_comment_counts_for_nothing_and_is_answered(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        created, early = desk.create("VPN is down"), desk.reply("1", "/role ok")
        comment = await told(server, created, early)
        assert "`/role ok` did not count: I had named no role here" in comment
        assert reviews(parts) == []
        await told(server, desk.reply("1", "/role ok"))
    assert reviews(parts) == [(["Network"], Strength.CONFIRMED)]


async def test_ok_to_a_comment_that_names_no_role_counts_for_nothing(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await told(server, desk.create("Hello"), desk.reply("1", "/role Netwrok"))
        comment = await told(server, desk.reply("1", "/role ok"))
    assert "`/role ok` did not count: I had named no role here" in comment
    assert reviews(parts) == []


async def test_ok_to_a_comment_that_somebody_deleted_counts_for_nothing(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await told(server, desk.create("VPN is down"))
        desk.tickets["1"] = replace(desk.tickets["1"], messages=())
        await told(server, desk.reply("1", "/role ok"))
    assert reviews(parts) == []


async def test_ok_to_a_question_between_two_roles_is_asked_which_one(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await told(server, desk.create("VPN is down, and the socket sparks"))
        parts.database.call(lambda s: setattr(comments.get(s, "desk:1"), "choices", [["Network"], ["Electrician"]]))
        comment = await told(server, desk.reply("1", "/role ok"))
    assert "it does not say which one. Write `/role Network` or `/role Electrician`." in comment
    assert reviews(parts) == []


async def test_a_comment_that_asks_which_of_two_offers_both(parts_for: Callable[..., Parts], desk: Desk) -> None:
    parts = parts_for(work={"settle_seconds": 0.2}, triage={"silent_below": 0.01})
    async with running(parts, desk) as server:
        comment = await told(server, desk.create("VPN is down, and the socket sparks"))
    choices = parts.database.call(comments.get, "desk:1").choices
    assert len(choices) == 2, comment
    assert all(role in comment.splitlines()[0] for (role,) in choices)


async def test_an_answer_keeps_what_staff_said_above_it(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await told(server, desk.create("VPN is down"), desk.reply("1", "/role Electrician"))
        comment = await told(server, desk.reply("1", "/role Netwrok"))
    assert comment.startswith("**Role: Electrician** (said by staff; suggested was Network)")
    assert "I know no role `Netwrok`. Did you mean Network?" in comment


@pytest.mark.parametrize("text", ["/role Electrician", "/role none", "/role undo"])
async def test_a_public_note_of_staff_counts_and_is_asked_to_be_made_private(
    parts: Parts, desk: Desk, text: str
) -> None:
    async with running(parts, desk) as server:
        await told(server, desk.create("VPN is down"), desk.reply("1", "/role Plumbing"))
        comment = await told(server, desk.reply("1", text, internal=False))
    assert "please make that note private" in comment or "I took the last answer back" in comment
    assert reviews(parts) != [(["Plumbing & HVAC"], Strength.CORRECTED)]
    assert len(desk.comments("1")) == 1
