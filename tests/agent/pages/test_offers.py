"""A subject, or a text in order, is accepted with one click and the original restored with one; a person's stands."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from agent.core import Parts
from agent.desk.concluded import conversation
from agent.desk.sightings import unannounced
from agent.pages.signing import audit
from agent.pages.signing.rights import Rights
from agent.store import comments
from connectors.base import Field
from connectors.errors import Permanent
from tests.agent.pages.conftest import Person, signed_in
from tests.desk import CAPABILITIES, Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

PAGE = "/tickets/desk/1"
OLD, NEW = "vpn", "I cannot connect to the VPN since Monday"
SUBJECT, TEXT = (
    "VPN does not connect",
    'Hello @all,\nthe client says *"Error 809: no answer"* since Monday.\n\n\nKim  Lee',
)
IN_ORDER = (
    '**What:** “the client says \\*"Error 809: no answer"\\* since Monday.”\n\n'
    "**When:** “since Monday”\n\n**Message:** “Error 809: no answer”\n\n**As it was written:**\n\n" + TEXT
)


async def opened(server: Running, desk: Desk, subject: str = OLD) -> Person:
    await server.deliver(desk.create(subject, f"{NEW}."))
    await server.idle()
    return signed_in(server, Rights.REVIEWER, "Kim")


async def says(person: Person, do: str, seen: str | None = None, what: str = "subject") -> int:
    page = await person.see(PAGE)
    shown = re.search(rf'id="{what}-offer".*?name="seen" value="([^"]*)"', page, re.DOTALL)
    answer = await person.post(f"/{what}s/desk/1", do=do, seen=seen or (html.unescape(shown[1]) if shown else ""))
    await person.server.idle()
    return answer.status_code


async def test_a_subject_is_accepted_and_restored_once_each(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        person = await opened(server, desk)
        assert await says(person, "accept") == 303
        assert (desk.tickets["1"].subject, desk.acts) == (NEW, 1)
        assert f"Restore: {OLD}" in await person.see(PAGE)
        assert await says(person, "accept") == 409
        assert await says(person, "restore") == 303
        assert (desk.tickets["1"].subject, desk.acts) == (OLD, 2)
        assert await says(person, "restore") == 409


async def test_a_subject_that_a_person_gave_meanwhile_stands(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        person = await opened(server, desk)
        desk.change("1", subject="VPN down in Lyon")
        assert await says(person, "accept") == 303
        assert (desk.tickets["1"].subject, desk.acts) == ("VPN down in Lyon", 0)
        assert "It kept its subject: a person has changed it." in await person.see(PAGE)
        desk.change("1", subject=OLD)
        assert await says(person, "accept") == 303, "it is offered again"
        assert (desk.tickets["1"].subject, desk.acts) == (NEW, 1)
        assert "It kept its subject" not in await person.see(PAGE)


async def test_a_subject_that_the_helpdesk_refuses_is_not_called_accepted(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        person = await opened(server, desk)
        desk.faults.append(Permanent("this account may not change subjects"))
        assert await says(person, "accept") == 303
        page = await person.see(PAGE)
        assert "the helpdesk refuses it" in page
        assert f"Restore: {OLD}" not in page


@pytest.mark.parametrize("seen", ["another", "x" * 5_000])
async def test_only_what_the_page_suggested_is_accepted(parts: Parts, desk: Desk, seen: str) -> None:
    async with running(parts, desk) as server:
        person = await opened(server, desk)
        assert await says(person, "accept", seen) == 409
        server.parts.database.call(comments.pause, "a try")
        assert await says(person, "accept") == 409
        assert (desk.tickets["1"].subject, desk.acts) == (OLD, 0)


async def test_a_good_subject_gets_no_suggestion(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        person = await opened(server, desk, "VPN does not connect from home")
        assert 'id="subject-offer"' not in await person.see(PAGE)
        assert await says(person, "accept", NEW) == 409


async def filed(server: Running, desk: Desk, text: str = TEXT) -> Person:
    await server.deliver(desk.create(SUBJECT, text))
    await server.idle()
    return signed_in(server, Rights.REVIEWER, "Kim")


async def test_a_text_is_put_in_order_above_itself_and_restored_once_each(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        person = await filed(server, desk)
        assert await says(person, "accept", what="description") == 303
        assert desk.tickets["1"].body.replace("\u2060", "") == IN_ORDER
        assert desk.tickets["1"].body.endswith(TEXT), "what was written stays to the letter"
        assert await says(person, "accept", what="description") == 409
        told = server.parts.database.call(audit.latest, 10)
        assert [(line.who, line.action) for line in told][:1] == [("Kim", "description")]
        news = server.parts.database.call(unannounced, "desk", [desk.tickets["1"]], desk.author_id)
        assert news == [], "our own edit is nobody's"
        assert await says(person, "restore", what="description") == 303
        assert (desk.tickets["1"].body, desk.acts) == (TEXT, 2)
        assert await says(person, "restore", what="description") == 409


async def test_a_text_that_a_person_edited_stands_before_and_after_ours(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        person = await filed(server, desk)
        desk.change("1", body="It works again.")
        assert await says(person, "accept", what="description") == 303
        assert (desk.tickets["1"].body, desk.acts) == ("It works again.", 0)
        assert "It kept its text: a person has changed it." in await person.see(PAGE)
        desk.change("1", body=TEXT)
        assert await says(person, "accept", what="description") == 303
        desk.change("1", body=f"{desk.tickets['1'].body}\nKim: and Error 810 today.")
        assert await says(person, "restore", what="description") == 303
        assert desk.tickets["1"].body.endswith("Kim: and Error 810 today.")


async def test_the_note_on_a_closed_ticket_quotes_what_was_written_and_not_our_order(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        person = await filed(server, desk)
        assert await says(person, "accept", what="description") == 303
        told = await conversation(server.parts.database, desk, desk.tickets["1"])
        assert told.messages[0].text == TEXT
        desk.change("1", body=f"{desk.tickets['1'].body}\nmore")
        told = await conversation(server.parts.database, desk, desk.tickets["1"])
        assert told.messages[0].text.endswith("more"), "a person's edit is told as it is"


@pytest.mark.parametrize("text", ["It is slow.", TEXT + " x" * 20_000])
async def test_a_text_that_says_one_thing_or_is_very_long_is_not_put_in_order(
    parts: Parts, desk: Desk, text: str
) -> None:
    async with running(parts, desk) as server:
        person = await filed(server, desk, text)
        assert 'id="description-offer"' not in await person.see(PAGE)
        assert await says(person, "accept", what="description") == 409


async def test_a_system_that_cannot_change_the_text_is_not_asked_to(parts: Parts, desk: Desk) -> None:
    changes = frozenset({Field.SUBJECT})
    desk.capabilities = replace(CAPABILITIES, changes=changes, described_in=None)
    async with running(parts, desk) as server:
        person = await filed(server, desk)
        page = await person.see(PAGE)
        assert 'id="description"' in page
        assert 'id="description-offer"' not in page
