"""Behind a proxy that shows Rolecall below a path, every address of a page leads there."""

from __future__ import annotations

import json
import re

import pytest

from agent.pages.signing.rights import Rights
from tests.agent.pages.conftest import Person, signed_in, words_of
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


async def test_an_address_that_nothing_has_is_answered_with_a_page_to_people_only(parts_for, desk: Desk) -> None:
    browser, public = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, "https://help.example/desk/rolecall/"
    async with running(parts_for(server={"public_url": public}, language="de"), desk) as server:
        stranger, viewer = Person(server), signed_in(server, Rights.VIEWER)
        viewer.client.cookies = {f"__Host-{name}": value for name, value in viewer.client.cookies.items()}
        for path in ("/tickts", "/tickets/desk", "/roles/Network", "/sign-out", "/search/<script>", "/admin/login.php"):
            for person, back in ((stranger, "sign-in"), (viewer, "")):
                answer = await person.client.get(path, headers=browser)
                assert (answer.status_code, "Hier ist keine Seite" in words_of(answer.text)) == (404, True), path
                assert f'class="b" href="/desk/rolecall/{back}"' in answer.text
                assert "<script>" not in answer.text
        assert (await stranger.client.get("/nowhere")).text == "Not Found"
        assert (await stranger.client.post("/nowhere", headers=browser)).text == "Not Found"
        for path in ("/api/nothing", "/v1/nothing"):
            assert (await stranger.client.get(path, headers=browser)).json().keys() == {"detail"}
        assert (await stranger.client.get(f"/hooks/{desk.source}", headers=browser)).status_code == 405


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
