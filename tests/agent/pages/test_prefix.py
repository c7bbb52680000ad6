"""Behind a proxy that shows Rolecall below a path, every address of a page leads there."""

from __future__ import annotations

import re

import pytest

from agent.pages.signing.rights import Rights
from tests.agent.pages.conftest import Person, signed_in
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
        out = (await operator.post("/sign-out")).headers["location"]

    assert len(addresses) > 100
    assert [one for one in addresses if not one.startswith("/desk/rolecall/")] == []
    assert sent == "/desk/rolecall/sign-in?next=%2Fstatus"
    assert out.startswith("/desk/rolecall/")


async def test_with_a_host_of_its_own_nothing_stands_before_them(parts_for, desk: Desk) -> None:
    async with running(parts_for(server={"public_url": "http://rolecall.test/"}), desk) as server:
        operator = signed_in(server, Rights.OPERATOR)
        assert 'href="/status"' in await operator.see("/")
        assert (await Person(server).client.get("/status")).headers["location"] == "/sign-in?next=%2Fstatus"
