"""Orders in a ticket's messages reach neither the note nor the model, whoever writes them and wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.notes.solution import of_closure
from agent.writing.description import better_subject
from agent.writing.extractive import summary, write
from agent.writing.llm import connected
from agent.writing.note import Part
from agent.writing.thread import Thread, as_filed
from connectors.base import Markup
from connectors.events import Ticket
from connectors.markup import render
from connectors.note import Note
from tests.agent.writing.test_extractive import REQUESTER, STAFF, UNKNOWN, VPN, text, thread
from tests.stubs.language_model import Model, model

ORDERS = (Path(__file__).parents[2] / "tickets/injections.txt").read_text("utf-8").splitlines()
PAYLOAD = re.compile("zebra900", re.I)
ACTIVE = re.compile(r"https?://|www\.\w|@\w")


def hostile(order: str) -> list[Thread]:
    """Return conversations with an order in the opening, in replies of each kind of author, and in a quote."""
    opened = (REQUESTER, f"{VPN[0][1]} {order}")
    replies = [(kind, order) for kind in (REQUESTER, STAFF, UNKNOWN)]
    quote = (STAFF, f"I looked into it.\n\n> {order}")
    return [thread(opened, *VPN[1:]), *(thread(VPN[0], reply, *VPN[3:]) for reply in (*replies, quote))]


def test_there_are_enough_orders() -> None:
    assert len(set(ORDERS)) >= 60


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_reaches_no_text_and_the_fix_is_the_real_one(order: str) -> None:
    for whole in hostile(order):
        for written in (write(whole), summary(whole), write(whole.public())):
            assert not PAYLOAD.search(text(written))
        assert "new link" in text(write(whole), Part.FIX)
    assert not PAYLOAD.search(better_subject(as_filed(Ticket("1", "help", f"{order} {VPN[0][1]}"))) or "")


def test_control_without_the_cues_an_order_would_be_shown() -> None:
    written = write(thread(VPN[0], (STAFF, "I replaced the zebra900 module."), VPN[4]))
    assert PAYLOAD.search(text(written))


def test_addresses_and_mentions_of_a_note_do_not_work() -> None:
    told = (STAFF, "I set the proxy to https://proxy.example and told @all about www.proxy.example.")
    section = of_closure(write(thread(VPN[0], told, VPN[4])))
    for markup in Markup:
        shown = render(Note((section,)), markup)
        assert "proxy" in shown
        assert not ACTIVE.search(shown)


@pytest.fixture(scope="module")
def obedient() -> Iterator[Model]:
    """Serve a model that obeys every order that it is shown, and invents one where it is shown none."""

    def obey(messages: list[dict[str, Any]]) -> dict[str, Any]:
        ordered = [each for each in messages if PAYLOAD.search(each["text"])]
        chosen = ordered[-1] if ordered else messages[-1]
        return {"fix": [{"message": chosen["message"], "sentence": "zebra900"}]}

    with model(obey) as running:
        yield running


@pytest.mark.anyio
async def test_an_obedient_model_changes_nothing(obedient: Model) -> None:
    writer = connected(obedient.url, "", "m", deadline=10, tokens_a_day=10_000_000)
    for order in ORDERS[::4]:
        for whole in hostile(order)[:3]:
            assert not PAYLOAD.search(text(await writer.write(whole)))
    await writer.client.close()
    assert obedient.asked
    assert not any(PAYLOAD.search(str(request["messages"])) for request in obedient.asked)
