"""Sixty invented conversations: whatever is written, only what staff really said about the role becomes a label."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.core import Parts
from agent.domain import Strength
from agent.store import tickets
from agent.store.tables import Decision, Ticket
from connectors.events import Event
from tests.desk import Desk
from tests.serving_app import running
from tests.tickets.conversations import Author, Conversation, ExpectedStrength, load_conversations

pytestmark = pytest.mark.anyio

STRENGTHS = {
    ExpectedStrength.CORRECTED: {Strength.CORRECTED},
    ExpectedStrength.CONFIRMED: {Strength.CONFIRMED},
    ExpectedStrength.CLOSED: {Strength.CLOSED, Strength.CLOSED_AS_SUGGESTED},
}


@pytest.mark.parametrize("conversation", load_conversations(), ids=lambda c: c.id)
async def test_a_conversation_leaves_the_label_that_staff_meant(
    parts_for: Callable[..., Parts], conversation: Conversation
) -> None:
    parts = parts_for(triage={"shadow": True})
    desk = Desk(source="django-helpdesk", author_id=Author.AGENT)
    created = desk.create(conversation.subject, conversation.body)
    key = "django-helpdesk:1"
    parts.database.call(tickets.file, Ticket(key=key, subject="", body="", filed_at=conversation.created_at))
    parts.database.call(tickets.record, suggestion(key, conversation))
    async with running(parts, desk) as server:
        for event in replies(desk, conversation):
            await server.deliver(event)
        role = parts.classifier.catalogue.lookup(conversation.closure.group or "")
        await server.deliver(desk.close("1", role.group(desk.source) if role else None))
        await server.idle()
    assert created.ticket_id == "1"
    verdict = parts.database.call(tickets.verdict, key)
    expected = conversation.feedback
    if expected.expected_strength is ExpectedStrength.NONE:
        assert verdict is None
    else:
        assert verdict is not None
        assert tuple(verdict.roles) == expected.expected_roles
        assert verdict.strength in STRENGTHS[expected.expected_strength]


def suggestion(key: str, conversation: Conversation) -> Decision:
    """Return what we had said on the ticket, as the ledger keeps it."""
    return Decision(
        ticket_key=key,
        at=conversation.created_at,
        outcome="clear",
        roles=list(conversation.feedback.suggested or ()),
        reason="",
        detail={},
        rules_version="",
    )


def replies(desk: Desk, conversation: Conversation) -> list[Event]:
    """Return the webhooks of everything that was written, our own comments apart."""
    return [
        desk.reply("1", m.text, author=m.name, internal=m.internal)
        for m in conversation.messages
        if m.author is not Author.AGENT
    ]
