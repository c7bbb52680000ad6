"""The ticket's page shows what its text says and leaves open, and sums up the conversation on demand."""

from __future__ import annotations

import pytest

from agent.pages.signing.rights import Rights
from connectors.errors import Transient
from tests.agent.pages.conftest import signed_in, words_of
from tests.desk import Desk
from tests.serving_app import Running

pytestmark = pytest.mark.anyio

PAGE, SUMMARY = "/tickets/desk/1", "/summaries/desk/1"
TEXT = "The scanner does not work since Monday morning and shows an <b>error</b> message."


async def test_a_page_shows_what_the_text_says_and_what_to_ask(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create("help", TEXT))
    await server.idle()
    seen = words_of(await signed_in(server, Rights.VIEWER).see(PAGE))
    assert "When since Monday morning" in seen
    assert "What exactly does the message say?" in seen


async def test_a_summary_is_read_from_the_helpdesk_when_asked(server: Running, desk: Desk) -> None:
    await server.deliver(desk.create("Scanner hall 2", TEXT))
    await server.idle()
    person = signed_in(server, Rights.VIEWER)
    assert SUMMARY in await person.see(PAGE)
    assert "nothing to sum up" in await person.see(SUMMARY)
    desk.reply("1", "I cleaned the rollers of the scanner and restarted it, but it still <i>jams</i>.")
    seen = await person.see(SUMMARY)
    assert "I cleaned the rollers" in words_of(seen)
    assert "<i>" not in seen.partition("<main")[2]


async def test_a_summary_that_cannot_be_read_says_so(
    server: Running, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = signed_in(server, Rights.VIEWER)
    assert (await person.client.get("/summaries/desk/2")).status_code == 404
    await server.deliver(desk.create("Scanner hall 2", TEXT))
    await server.idle()

    async def away(ticket_id: str) -> None:
        raise Transient("no route to the helpdesk")

    monkeypatch.setattr(desk, "read_ticket", away)
    answer = await person.client.get(SUMMARY)
    assert answer.status_code == 503
    assert "does not answer at the moment" in answer.text
