"""The pages in a real browser, beside a real helpdesk whose comments follow what people answer there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import axe_playwright_python
import httpx
import pytest
from playwright.async_api import Browser, Page

from agent.app import create_app
from agent.core import Parts
from agent.demo.helpdesk import HelpdeskServer
from agent.pages.signing import first, sessions, users
from agent.pages.signing.rights import Rights
from agent.store import status
from agent.store.people import User
from agent.store.tables import utcnow
from agent.web.server import make_server
from connectors.base import Connector
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from tests.agent.pages.planted import HOSTILE, SHORT, plant
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS
from tests.servers import chromium
from tests.servers.receiver import Receiver

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("helpdesk")]

FileTicket = Callable[..., str]
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
PUBLIC = "http://rolecall.test"
PASSWORD = "correct horse battery"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@dataclass
class Site:
    """A whole server that listens on this machine."""

    parts: Parts
    url: str

    async def idle(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self.parts.database.read(status.counts)).keys() & {"waiting", "working"}:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def listening(parts: Parts, connector: Connector) -> AsyncIterator[Site]:
    app = create_app(parts, {connector.source: connector}, ("false",))
    ports: asyncio.Queue[int] = asyncio.Queue()
    settings = parts.settings.model_copy(update={"server": parts.settings.server.model_copy(update={"port": 0})})
    server = make_server(app, settings, ports.put_nowait)
    running = asyncio.create_task(server.serve())
    try:
        yield Site(parts, f"http://127.0.0.1:{await ports.get()}")
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def browsing(browser: Browser, site: Site, cookie: str | None = None, **options: Any) -> AsyncIterator[Page]:
    """Yield a page; fail where anything was said on its console, such as what the policy kept from running."""
    context = await browser.new_context(base_url=site.url, **options)
    context.set_default_timeout(chromium.TIMEOUT)
    if cookie:
        await context.add_cookies([{"name": "rolecall", "value": cookie, "url": site.url}])
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if "404" not in message.text else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(f"dialog {dialog.message}"))
    yield page
    await context.close()
    assert said == []


async def test_sign_in_review_three_tickets_and_see_their_comments_change(
    parts_for: Callable[..., Parts], settings: DjangoHelpdeskSettings, receiver: Receiver, helpdesk: HelpdeskServer,
    file_ticket: FileTicket, real_browser: Browser, page: Page,
) -> None:  # fmt: skip
    given = {"work": {"settle_seconds": 0.2}, "triage": {"silent_below": 0.2}}
    parts = parts_for(**given, server={"public_url": PUBLIC})
    numbers = [file_ticket(title) for title in ("VPN is down", "A question", "Another matter")]
    connector = DjangoHelpdesk("django-helpdesk", replace(settings, author_id=None))
    async with listening(parts, connector) as site, httpx.AsyncClient(base_url=site.url, trust_env=False) as hooks:
        for delivery in receiver.wait_for(3):
            await hooks.post(f"/hooks/django-helpdesk/{delivery.segment}", content=delivery.body)
        await site.idle()
        await page.goto(f"/tickets/{numbers[0]}/")
        links = await page.eval_on_selector_all("a[href*='/l/']", "all => all.map((one) => one.href)")
        assert len(links) >= 2
        async with browsing(real_browser, site, viewport=PHONE) as stranger:
            await stranger.goto(links[0].replace(PUBLIC, site.url))
            assert "You are about to say: Network is right." in await stranger.inner_text("main")
            assert await faults(stranger) == []
        link = first.link(parts.database, site.url) or ""
        async with browsing(real_browser, site, viewport=DESK) as rolecall:
            await rolecall.goto(link)
            await rolecall.fill("#name", "Kim")
            await rolecall.fill("#password", PASSWORD)
            await rolecall.fill("#again", PASSWORD)
            await rolecall.press("#again", "Enter")
            await rolecall.wait_for_selector("table.tickets")
            await rolecall.locator("form[action='/sign-out'] button").click()
            await rolecall.fill("#name", "kim")
            await rolecall.fill("#password", PASSWORD)
            await rolecall.press("#password", "Enter")
            await rolecall.wait_for_selector("table.tickets")
            await rolecall.keyboard.press("g")
            async with rolecall.expect_navigation():
                await rolecall.keyboard.press("r")
            for waiting in (3, 2, 1):
                told = await rolecall.inner_text("header.head p")
                assert told.startswith(f"{waiting} ticket")
                async with rolecall.expect_navigation():
                    await rolecall.keyboard.press("5")  # Electrician, the fifth of the roles
            assert "Nothing waits" in await rolecall.inner_text("main")
            async with rolecall.expect_navigation():
                await rolecall.keyboard.press("u")
            assert (await rolecall.inner_text("header.head p")).startswith("1 ticket")
            async with rolecall.expect_navigation():
                await rolecall.keyboard.press("n")
            await site.idle()
        told = []
        for number in numbers:
            await page.goto(f"/tickets/{number}/")
            told.append(await page.inner_text("#followup-list"))
    assert sum("Role: Electrician (said by staff" in text for text in told) == 2
    assert sum("None of our roles" in text for text in told) == 1


async def test_nothing_hostile_runs_and_everybody_can_use_every_page(parts: Parts, real_browser: Browser) -> None:
    """The words of others run nothing; no page is wider than a phone; axe finds nothing serious, light and dark."""
    said = quote(HOSTILE, safe="")
    paths = [
        "/",
        "/review",
        f"/tickets/desk/{said}",
        "/status",
        "/models",
        "/report",
        "/rules",
        "/search",
        "/search?q=printer",
        "/roles",
        "/users",
        "/log",
        "/account",
        f"/?before={said}",
    ]
    wrong: list[str] = []
    async with listening(parts, Desk()) as site:
        parts.database.call(plant, HOSTILE, SHORT)
        cookie = parts.database.call(operator)
        looks = (("light", DESK, True), ("dark", PHONE, True), ("light", PHONE, False))
        for scheme, size, script in looks:
            options = {"color_scheme": scheme, "viewport": size, "java_script_enabled": script}
            async with browsing(real_browser, site, cookie, **options) as page:
                for path in paths:
                    await page.goto(path)
                    place = f"{path[:20]} {scheme} {size['width']}"
                    width = await page.evaluate("document.documentElement.scrollWidth") if script else 0
                    wrong += [f"{place}: {width} px wide"] if width > size["width"] else []
                    wrong += [f"{place}: {fault}" for fault in await faults(page)] if script else []
        async with browsing(real_browser, site, viewport=PHONE) as page:
            await page.goto("/sign-in")
            wrong += [f"/sign-in: {fault}" for fault in await faults(page)]
            await page.evaluate("document.body.innerHTML = '<img src=/static/mark.svg><input>'")
            assert await faults(page) != [], "the control: a picture and a field without names"
    assert wrong == [], "\n".join(wrong)


def operator(session: Any) -> str:
    session.add(User(key="ops", name="ops", rights=Rights.OPERATOR, created_at=utcnow()))
    return sessions.begin(session, users.key_of("ops"), utcnow())


async def faults(page: Page) -> list[str]:
    """Return what axe finds that is serious or critical."""
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
