"""A suggested subject is accepted with one click and the original restored with one; a person's own stands."""

from __future__ import annotations

import html
import re

import pytest

from agent.core import Parts
from agent.pages.signing.rights import Rights
from agent.store import comments
from connectors.errors import Permanent
from tests.agent.pages.conftest import Person, signed_in
from tests.desk import Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

PAGE, FORM = "/tickets/desk/1", "/subjects/desk/1"
OLD, NEW = "vpn", "I cannot connect to the VPN since Monday"


async def opened(server: Running, desk: Desk, subject: str = OLD) -> Person:
    await server.deliver(desk.create(subject, f"{NEW}."))
    await server.idle()
    return signed_in(server, Rights.REVIEWER, "Kim")


async def says(person: Person, do: str, seen: str | None = None) -> int:
    page = await person.see(PAGE)
    shown = re.search(r'id="subject".*?name="seen" value="([^"]*)"', page, re.DOTALL)
    answer = await person.post(FORM, do=do, seen=seen or (html.unescape(shown[1]) if shown else ""))
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
        assert 'id="subject"' not in await person.see(PAGE)
        assert await says(person, "accept", NEW) == 409
