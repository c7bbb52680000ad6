"""Sixty invented conversations: whatever is written, only what staff really said about the role becomes a label."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.core import Parts
from agent.domain import Strength
from agent.store import tickets
from agent.store.tables import Comment, Decision, Ticket
from tests.desk import Desk
from tests.serving_app import running
from tests.tickets.conversations import Author, Conversation, ExpectedStrength, load_conversations

pytestmark = pytest.mark.anyio

MARK = "rolecall-0123456789abcdef0123"
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
    staff = {m.name for m in conversation.messages if m.author is Author.STAFF}
    desk = Desk(source="django-helpdesk", author_id=Author.AGENT, people=staff)
    created = desk.create(conversation.subject, conversation.body)
    key = "django-helpdesk:1"
    parts.database.call(tickets.file, Ticket(key=key, subject="", body="", filed_at=conversation.created_at))
    parts.database.call(tickets.record, suggestion(key, conversation))
    parts.database.call(lambda session: session.add(comment(key, conversation)))
    async with running(parts, desk) as server:
        for message in conversation.messages:
            event = desk.reply("1", message.text, author=message.name, internal=message.internal)
            if message.author is Author.AGENT:
                desk.rewrite("1", event.message.id, f"{message.text} {MARK}", author_id=Author.AGENT)
            else:
                await server.deliver(event)
        role = parts.classifier.catalogue.lookup(conversation.closure.group or "")
        await server.deliver(desk.close("1", role.group(desk.source) if role else None))
        await server.idle()
    assert created.ticket_id == "1"
    verdict = parts.database.call(tickets.review_that_counts, key)
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


def comment(key: str, conversation: Conversation) -> Comment:
    """Return the record of our comment, which names what we had suggested."""
    suggested = conversation.feedback.suggested
    return Comment(ticket_key=key, marker=MARK, text="", choices=[list(suggested)] if suggested else [])
