"""In a real browser: rules and roles changed and taken back, tickets confirmed at once, a limit, a training."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page
from sqlmodel import select

from agent.app import create_app
from agent.core import Parts
from agent.domain import Strength, TrainingOutcome, Via
from agent.pages.signing import sessions
from agent.pages.signing.rights import Rights
from agent.store import search
from agent.store.people import Audit, User
from agent.store.tables import Decision, Review, Ticket, Training, utcnow
from tests.conftest import TICKETS
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS
from tests.servers import test_pages
from tests.servers.test_pages import DESK, PHONE, Site, browsing, faults, listening

pytestmark = pytest.mark.anyio


def past(session: Any) -> None:
    """Store what people said of forty tickets, six of which were closed as had clearly been suggested."""
    for place in range(40):
        key, at, role = f"desk:{place}", utcnow(), "Network" if place % 2 else "Electrician"
        words = f"docking station {place} is dead" if place % 2 else f"lamp {place} flickers"
        ticket = Ticket(
            key=key, subject=words, body=f"{words}, please help", filed_at=at, group="net" if place % 2 else "hw"
        )
        search.add(session, ticket)
        session.add(
            Decision(ticket_key=key, at=at, outcome="clear", roles=[role], confidence=0.9, reason="", detail={},
                     rules_version="1")
        )  # fmt: skip
        strength = Strength.CLOSED_AS_SUGGESTED if place < 6 else Strength.CONFIRMED
        session.add(Review(ticket_key=key, roles=[role], strength=strength, via=Via.CLOSURE, origin="x", at=at))


def somebody(session: Any, name: str, rights: Rights) -> str:
    session.add(User(key=name.lower(), name=name, rights=rights, created_at=utcnow()))
    return sessions.begin(session, name.lower(), utcnow())


async def usable(page: Page) -> list[str]:
    """Return what axe finds on a page, and whether it is wider than the screen."""
    width = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [*await faults(page), *([f"{width} px too wide"] if width > 0 else [])]


async def test_rules_roles_bulk_and_limits_in_the_browser(
    tmp_path: Path, parts_for: Callable[..., Parts], real_browser: Browser
) -> None:
    for name in ("rules.toml", "roles.toml"):
        shutil.copy(TICKETS / name, tmp_path / name)
    before = {name: (tmp_path / name).read_bytes() for name in ("rules.toml", "roles.toml")}
    parts = parts_for(rules=tmp_path / "rules.toml", roles=tmp_path / "roles.toml")
    async with listening(parts, Desk()) as site:
        parts.database.call(past)
        boss = parts.database.call(somebody, "Boss", Rights.OPERATOR)
        kim = parts.database.call(somebody, "Kim", Rights.REVIEWER)
        wrong: list[str] = []
        async with browsing(real_browser, site, boss, viewport=DESK) as page:
            await page.goto("/rules")
            async with page.expect_navigation():
                await page.get_by_role("button", name="Approve the rule for docking", exact=True).click()
            added = (tmp_path / "rules.toml").read_bytes()
            assert added.startswith(before["rules.toml"])
            assert b"# Approved by Boss" in added
            await page.fill("#subject", "My docking station")
            async with page.expect_navigation():
                await page.get_by_role("button", name="Try it").click()
            assert "learnt-network-docking" in await page.inner_text("[role=status]")
            await page.goto("/rules")
            async with page.expect_navigation():
                await page.get_by_role("button", name="Take that back").click()
            assert (tmp_path / "rules.toml").read_bytes() == before["rules.toml"]
            await page.goto("/roles?edit=Network")
            wrong += await usable(page)
            await page.fill("#name", "Networks")
            await page.fill("#owner", "Kim")
            async with page.expect_navigation():
                await page.get_by_role("button", name="Save").click()
            assert parts.classifier.catalogue.lookup("Network").name == "Networks"  # type: ignore[union-attr]
            async with page.expect_navigation():
                await page.get_by_role("button", name="Take that back").click()
            assert (tmp_path / "roles.toml").read_bytes() == before["roles.toml"]
            await page.goto("/users")
            await page.select_option("#whose", "Kim")
            await page.fill("#groups", "NET")
            async with page.expect_navigation():
                await page.get_by_role("button", name="Limit what an account sees").click()
            assert "net" in await page.inner_text("table")
            wrong += await usable(page)
        async with browsing(real_browser, site, kim, viewport=PHONE, color_scheme="dark", has_touch=True) as page:
            await page.goto("/review")
            assert (await page.inner_text("header.head p")).startswith("3 tickets")
            await page.get_by_role("link", name="Confirm up to 3 at once").tap()
            await page.wait_for_selector("input[name=ticket]")
            wrong += await usable(page)
            await page.locator("input[name=ticket]").first.uncheck()
            async with page.expect_navigation():
                await page.get_by_role("button", name="Confirm what is ticked").tap()
            assert "2 tickets confirmed." in await page.inner_text("[role=status]")
            assert await page.locator("input[name=ticket]").count() == 1
            async with page.expect_navigation():
                await page.locator("button[value=undo]").tap()
            assert await page.locator("input[name=ticket]").count() == 3
            assert "lamp" not in await page.inner_text("main")
            await page.goto("/tickets/desk/2")
            assert "lamp" not in await page.inner_text("main"), "that is not of their group"
            await page.goto("/tickets/desk/1")
            assert "docking station 1" in await page.inner_text("main"), "the control"
        async with browsing(real_browser, site, kim, viewport=PHONE, java_script_enabled=False) as page:
            await page.goto("/review/bulk")
            await page.get_by_role("button", name="Confirm what is ticked").click()
            await page.wait_for_selector("button[value=undo]")
        lines = parts.database.call(lambda session: [line.action for line in session.exec(select(Audit))])
        expected = {"rule_approved", "rules_restored", "role_edited", "roles_restored", "limited", "bulk", "undo"}
        assert set(lines) == expected
    assert wrong == []


async def test_a_training_that_is_begun_on_the_page_runs_to_its_end(
    learnt: Parts, real_browser: Browser, tmp_path: Path, monkeypatch: Any
) -> None:
    """The real command, in a process of its own."""
    settings = tmp_path / "agent.toml"
    roles, rules = learnt.settings.roles, learnt.settings.rules
    settings.write_text(f'roles = "{roles}"\nrules = "{rules}"\n[learning]\ntrainer = "frozen"\nthreads = 1\n')
    places = ("--config", str(settings), "--data", str(learnt.directory.path))
    command = (sys.executable, "-m", "agent.cli", "train", "--trigger", "nightly", *places)
    monkeypatch.setattr(test_pages, "create_app", lambda parts, connectors, _: create_app(parts, connectors, command))
    async with listening(learnt, Desk()) as site:
        boss = learnt.database.call(somebody, "Boss", Rights.OPERATOR)
        async with browsing(real_browser, site, boss, viewport=DESK) as page:
            await page.goto("/models")
            assert await usable(page) == []
            async with page.expect_navigation():
                await page.get_by_role("button", name="Train now").click()
            run = await ended(site, page)
            await page.goto("/models")
            assert (run.outcome, run.trigger) == (TrainingOutcome.PROMOTED, "on the pages")
            assert f"Version {run.version} serves." in await page.inner_text("main")


async def ended(site: Site, page: Page) -> Training:
    """Wait for the end of the training; while it runs, the page says so and offers no other."""
    seen = False
    async with asyncio.timeout(20 * PATIENCE_SECONDS):
        while True:
            await page.goto("/models")
            told = await page.inner_text("main")
            if "A training runs" in told:
                seen = True
                assert "Train now" not in told
            runs = site.parts.database.call(lambda session: list(session.exec(select(Training))))
            if runs and runs[-1].outcome != TrainingOutcome.RUNNING and site.parts.active.current is not None:
                assert seen
                return runs[-1]
            await asyncio.sleep(0.2)
