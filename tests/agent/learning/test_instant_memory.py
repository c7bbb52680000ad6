"""A correction counts at the next similar ticket, before anything is retrained, and moves nothing else."""

from __future__ import annotations

import asyncio

import pytest

from agent.app import FOLLOW_SECONDS
from agent.core import Parts
from tests.agent.locking import impatient, locked
from tests.desk import Desk
from tests.serving_app import Running, running
from tests.tickets.conversations import load_conversations

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("trained")]

TICKET = ("Coffee machine on floor 3 shows a network error", "The display says no network and it makes no coffee.")
PARAPHRASES = [
    ("coffee machine 3rd floor says network error", "no coffee, display shows no network"),
    ("Network error on the coffee machine", "the one on floor three, it makes no coffee any more"),
    ("coffeemaker display: no network", "third floor, no coffee since this morning"),
    ("No coffee on floor 3", "the machine's display says network error"),
    ("floor 3 coffee machine network fault", "it does not make coffee, only shows no network"),
]
RIGHT = "Plumbing & HVAC"


async def role_of(server: Running, subject: str, body: str) -> str:
    """File a ticket and return the first line of our comment."""
    event = server.desk.create(subject, body)
    await server.deliver(event)
    await server.idle()
    return next((comment.text.splitlines()[0] for comment in server.desk.comments(event.ticket_id)), "nothing")


async def test_the_old_role_is_not_repeated_and_nothing_else_moves(trained: Parts, desk: Desk) -> None:
    others = [(c.subject, c.body) for c in load_conversations()]
    async with running(impatient(trained), desk) as server:
        with locked(trained):  # a database that was locked for a while changes nothing of it
            await asyncio.sleep(2.5 * FOLLOW_SECONDS)
        before = [trained.classifier.opinion(s, b, desk.now().date()).ranked()[0][0] for s, b in others]
        first = await role_of(server, *TICKET)
        wrong = [role for role in trained.classifier.catalogue.names if role in first]
        assert wrong
        assert RIGHT not in wrong
        await server.deliver(desk.reply("1", f"/role {RIGHT}"))
        await server.idle()
        again = [await role_of(server, *text) for text in (TICKET, *PARAPHRASES)]
        after = [trained.classifier.opinion(s, b, desk.now().date()).ranked()[0][0] for s, b in others]
    assert all(RIGHT in line and not any(role in line.partition(" or ")[0] for role in wrong) for line in again), again
    assert after == before


async def test_similar_tickets_are_none_of_ours_until_the_answer_is_taken_back(trained: Parts, desk: Desk) -> None:
    others = [(c.subject, c.body) for c in load_conversations()]
    async with running(impatient(trained), desk) as server:
        before = [trained.classifier.opinion(s, b, desk.now().date()).ranked()[0][0] for s, b in others]
        spoken = [await role_of(server, *text) for text in (TICKET, *PARAPHRASES)]
        assert "nothing" not in spoken
        await server.deliver(desk.reply("1", "/role none"))
        await server.idle()
        again = [await role_of(server, *text) for text in (TICKET, *PARAPHRASES)]
        asked = desk.reply("7", "/role why")
        await server.deliver(asked)
        await server.idle()
        after = [trained.classifier.opinion(s, b, desk.now().date()).ranked()[0][0] for s, b in others]
        await server.deliver(desk.reply("1", "/role undo"))
        await server.idle()
        undone = await role_of(server, *TICKET)
    assert again[0] == "nothing"
    assert again.count("nothing") > len(PARAPHRASES) / 2, again
    assert "Staff called similar tickets none of ours" in desk.comments("7")[0].text
    assert after == before
    assert undone == spoken[0]
