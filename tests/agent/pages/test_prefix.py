"""Behind a proxy that shows Rolecall below a path, every address of a page leads there."""

from __future__ import annotations

import json
import re

import pytest

from agent.pages.signing.rights import Rights
from tests.agent.pages.conftest import Person, signed_in
from tests.agent.programs.conftest import acting
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

PAGES = ("/", "/review", "/search?q=%22/x", "/status", "/models", "/rules", "/roles", "/users", "/account", "/log")
ADDRESS = re.compile(r'(?:href|src|action)="(/[^"]*)"')


async def test_below_a_path_every_address_begins_with_it(parts_for, desk: Desk) -> None:
    parts = parts_for(server={"public_url": "http://intranet.test/desk/rolecall/"})
    async with running(parts, desk) as server:
        operator = signed_in(server, Rights.OPERATOR)
        addresses = [address for page in PAGES for address in ADDRESS.findall(await operator.see(page))]
        sent = (await Person(server).client.get("/status")).headers["location"]
        slashed = [await person.client.get("/review/bulk/") for person in (Person(server), operator)]
        out = (await operator.post("/sign-out")).headers["location"]

    assert len(addresses) > 100
    assert [one for one in addresses if not one.startswith("/desk/rolecall/")] == []
    assert sent == "/desk/rolecall/sign-in?next=%2Fstatus"
    assert out.startswith("/desk/rolecall/")
    for answer in slashed:
        assert (answer.status_code, answer.headers.get("location")) == (404, None)
        assert 'href="/desk/rolecall/review/bulk"' in answer.text, "no redirect, but a link"


async def test_with_a_host_of_its_own_nothing_stands_before_them(parts_for, desk: Desk) -> None:
    async with running(parts_for(server={"public_url": "http://rolecall.test/"}), desk) as server:
        operator = signed_in(server, Rights.OPERATOR)
        assert 'href="/status"' in await operator.see("/")
        assert (await Person(server).client.get("/status")).headers["location"] == "/sign-in?next=%2Fstatus"


async def test_a_slash_at_the_end_makes_no_difference_to_programs(parts_for, desk: Desk) -> None:
    """Some systems and clients put one behind every address that they are given; pages have one address each."""
    async with running(parts_for(), desk) as server:
        event = desk.create("VPN is down")
        hook = f"/hooks/{desk.source}/{desk.secret}/"
        told = b"\xef\xbb\xbf" + json.dumps([(event.kind, event.delivery_id)]).encode()
        assert (await server.client.post(hook, content=told)).status_code == 202
        await server.idle()
        async with acting(server, Rights.VIEWER) as program:
            assert (await program.get("/api/tickets/desk/1/")).json()["subject"] == "VPN is down"
            suggested = await program.post("/api/suggestions/", content=b'\xef\xbb\xbf{"subject": "VPN is down"}')
            assert suggested.status_code == 200
            assert (await program.get("/api/")).status_code == 404
        assert "VPN is down" in await signed_in(server, Rights.VIEWER).see("/tickets/desk/1/")
