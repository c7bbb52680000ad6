"""One ticket from the webhook to the comment, and what staff then do with it, on an in-memory desk."""

from __future__ import annotations

import pytest
from sqlmodel import select

from agent.core import Parts
from agent.domain import Strength
from agent.notes.speak import mark_of
from agent.store.tables import Decision, Inbox, Review, Ticket
from connectors.errors import Ambiguous, Permanent, Transient
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio


def rows(parts: Parts, table: type) -> list:
    return list(parts.database.call(lambda session: session.exec(select(table)).all()))


async def test_a_new_ticket_gets_one_staff_comment_that_names_role_and_reason(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        answer = await server.deliver(desk.create("VPN is down", "cannot reach the gateway"))
        await server.idle()
    assert answer.status_code == 202
    (comment,) = desk.comments("1")
    assert comment.text.startswith("**Role: ")
    assert "Network" in comment.text
    assert "`vpn`" in comment.text
    assert "`/role ok`" in comment.text


async def test_a_repeated_delivery_is_known_already_and_changes_nothing(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        event = desk.create("VPN is down")
        answers = [await server.deliver(event) for _ in range(3)]
        await server.idle()
    assert [a.status_code for a in answers] == [202, 200, 200]
    assert (desk.posts, desk.edits) == (1, 0)


async def test_the_decision_is_in_the_ledger_with_its_evidence(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
    (decision,) = rows(parts, Decision)
    assert decision.roles == ["Network"]
    assert decision.detail["hits"][0]["rule"] == "vpn"
    assert decision.model_version is None
    assert decision.rules_version == parts.classifier.rules.version


async def test_the_ticket_is_kept_as_filed_whatever_is_edited_later(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down", "first words"))
        await server.idle()
        desk.tickets["1"] = desk.tickets["1"].__class__("1", "edited", "edited", messages=desk.tickets["1"].messages)
        await server.deliver(desk.close("1", group=None))
        await server.idle()
    (ticket,) = rows(parts, Ticket)
    assert (ticket.subject, ticket.body) == ("VPN is down", "first words")
    assert ticket.closed_at is not None


async def test_a_correction_becomes_a_label_and_the_same_comment_says_so(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        await server.deliver(event := desk.reply("1", "no, see the badge\n/role access & accounts."))
        await server.deliver(event)
        await server.idle()
    (review,) = rows(parts, Review)
    assert (review.roles, review.rejected, review.strength) == (["Access & Accounts"], ["Network"], Strength.CORRECTED)
    (comment,) = desk.comments("1")
    assert comment.text.startswith("**Role: Access & Accounts** (said by staff; suggested was Network)")


async def test_ok_confirms_what_was_said(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        await server.deliver(desk.reply("1", "/role ok"))
        await server.idle()
    (review,) = rows(parts, Review)
    assert (review.roles, review.strength) == (["Network"], Strength.CONFIRMED)


async def test_an_unknown_role_is_answered_with_the_near_ones_and_teaches_nothing(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        await server.deliver(desk.reply("1", "/role Netwrok"))
        await server.idle()
    assert rows(parts, Review) == []
    (comment,) = desk.comments("1")
    assert "I know no role `Netwrok`. Did you mean Network?" in comment.text


async def test_a_customer_cannot_teach(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.deliver(desk.reply("1", "/role ok", author="customer", internal=False))
        await server.idle()
    assert rows(parts, Review) == []


@pytest.mark.parametrize(
    ("group", "roles", "strength"),
    [("NET", ["Network"], Strength.CLOSED_AS_SUGGESTED), ("ELE", ["Electrician"], Strength.CLOSED)],
)
async def test_the_handling_role_at_closure_is_a_weak_label(
    parts: Parts, desk: Desk, group: str, roles: list[str], strength: Strength
) -> None:
    desk.source = "django-helpdesk"  # the roles name its queues
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        await server.deliver(desk.close("1", group))
        await server.idle()
    (review,) = rows(parts, Review)
    assert (review.roles, review.strength) == (roles, strength)


async def test_closing_in_a_group_without_a_role_says_nothing(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"), desk.close("1", "front office"))
        await server.idle()
    assert rows(parts, Review) == []


async def test_a_ticket_closed_before_we_look_gets_no_comment(parts: Parts, desk: Desk) -> None:
    event = desk.create("VPN is down")
    desk.close("1")
    async with running(parts, desk) as server:
        await server.deliver(event)
        await server.idle()
    assert desk.posts == 0
    assert rows(parts, Decision)[0].reason == "closed"


async def test_nothing_is_said_where_nothing_is_known(parts_for, desk: Desk) -> None:
    parts = parts_for()
    async with running(parts, desk) as server:
        await server.deliver(desk.create("hello there"))
        await server.idle()
    assert desk.posts == 0
    assert rows(parts, Decision)[0].outcome == "none"


async def test_in_the_shadow_decisions_are_recorded_and_nothing_is_said(parts_for, desk: Desk) -> None:
    parts = parts_for(triage={"shadow": True, "silent_below": 0.2})
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.deliver(desk.reply("1", "/role Electrician"))
        await server.idle()
    assert desk.posts == 0
    assert rows(parts, Decision)[0].roles == ["Network"]
    assert rows(parts, Review)[0].roles == ["Electrician"]


async def test_a_stored_comment_whose_answer_was_lost_is_found_not_repeated(parts: Parts, desk: Desk) -> None:
    desk.faults = [Ambiguous("500 after storing")]
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
    assert len(desk.comments("1")) == 1
    assert desk.posts == 1


async def test_a_refused_comment_is_tried_again(parts: Parts, desk: Desk) -> None:
    desk.faults = [Transient("busy", retry_after=0.01)]
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
    assert len(desk.comments("1")) == 1


async def test_a_comment_that_staff_removed_stays_removed(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        desk.tickets["1"] = desk.tickets["1"].__class__("1", "VPN is down", "")
        await server.deliver(desk.reply("1", "/role Electrician"))
        await server.idle()
    assert desk.comments("1") == []
    assert rows(parts, Review)[0].roles == ["Electrician"]


async def test_somebody_elses_copy_of_our_marker_does_not_silence_us(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        text = desk.comments("1")[0].text
        event = desk.create("VPN is down again")
        desk.reply("2", text, author="customer", internal=False)
        await server.deliver(event)
        await server.idle()
    assert len(desk.comments("2")) == 1


async def test_what_is_refused_for_good_becomes_a_dead_letter_and_holds_nothing_up(parts: Parts, desk: Desk) -> None:
    desk.faults = [Permanent("token revoked")]
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        await server.deliver(desk.reply("1", "/role ok"))
        await server.idle()
    states = {(r.kind, r.state, r.error) for r in rows(parts, Inbox)}
    assert states == {("created", "dead", "token revoked"), ("commented", "done", None)}


async def test_readiness_says_that_rules_alone_decide(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        answer = await server.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["model"] == "none yet: rules and similar tickets decide"


async def test_another_installations_comment_is_no_word_of_staff(parts: Parts, desk: Desk) -> None:
    """It ends in a mark like ours, by another key; the same words without it are staff's, and count."""
    said = "/role Electrician"
    mark = mark_of(b"another installation", "desk:1")
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
        await server.deliver(desk.reply("1", f"{said}\n\n[//]: # ({mark})", author="another bot"))
        await server.idle()
        assert rows(parts, Review) == []
        assert (desk.posts, desk.edits) == (1, 0)
        await server.deliver(desk.reply("1", f"I copied ({mark})\n{said}"))
        await server.idle()
    assert len(rows(parts, Review)) == 1
