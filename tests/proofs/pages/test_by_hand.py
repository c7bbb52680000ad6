"""By hand in a real browser: the first account, tickets by keys and by touch, a link, a model, and a file elsewhere."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page
from sqlmodel import select
from typer.testing import CliRunner

from agent.cli import app
from agent.core import Parts
from agent.domain import Strength, Via
from agent.pages.signing import first
from agent.pages.signing.rights import Rights
from agent.serving.registry import Registry, new_version
from agent.store.people import Audit
from agent.store.tables import Review, utcnow
from connectors.errors import Permanent
from tests.agent.conftest import quick
from tests.agent.pages.test_learning_curve import trained
from tests.conftest import TICKETS
from tests.desk import Desk
from tests.proofs.pages.test_changed_by_hand import somebody, usable
from tests.servers.test_pages import DESK, PASSWORD, PHONE, PUBLIC, Site, browsing, faults, listening
from tests.tickets.conversations import load_conversations

pytestmark = pytest.mark.anyio

KEYED, TOUCHED = 20, 5
FILED = KEYED + TOUCHED + 8
PEOPLE = (("Boss", Rights.OPERATOR), ("Kim", Rights.REVIEWER))


@dataclass
class Story:
    """A whole server in front of a desk with tickets that wait."""

    site: Site
    desk: Desk
    hooks: httpx.AsyncClient

    async def told(self, *events: Any) -> None:
        for event in events:
            told = [(event.kind, event.delivery_id)]
            await self.hooks.post(f"/hooks/{self.desk.source}/{self.desk.secret}", json=told)
        await self.site.idle()

    def reviews(self) -> list[Review]:
        asked = select(Review).where(Review.via.in_([Via.PAGE, Via.LINK])).order_by(Review.id)  # type: ignore[attr-defined]
        return self.site.parts.database.call(lambda session: list(session.exec(asked)))


@pytest.fixture
async def story(trained_once: Path, tmp_path: Path, parts_for: Callable[..., Parts]) -> AsyncIterator[Story]:
    """Yield it: a desk of which every ticket was closed, but for the last three."""
    copytree(trained_once, tmp_path / "data", symlinks=True)
    parts = parts_for(**quick(), server={"public_url": PUBLIC})
    desk = Desk(source="it-desk")
    desk.now = utcnow  # type: ignore[method-assign]  # tickets of today
    async with listening(parts, desk) as site, httpx.AsyncClient(base_url=site.url, trust_env=False) as hooks:
        made = Story(site, desk, hooks)
        texts = [one for one in load_conversations() if len(one.true_roles) == 1][:FILED]
        await made.told(*(desk.create(one.subject, one.body) for one in texts))
        parts.database.call(closed, [(f"it-desk:{at}", one.true_roles) for at, one in enumerate(texts[:-3], 1)])
        yield made


def closed(session: Any, known: list[tuple[str, tuple[str, ...]]]) -> None:
    """Store in which role tickets were closed."""
    for key, roles in known:
        session.add(
            Review(ticket_key=key, roles=list(roles), strength=Strength.CLOSED, via=Via.CLOSURE, origin="closure",
                   at=utcnow())
        )  # fmt: skip


async def waiting(page: Page) -> int:
    """Return how many tickets Review says are left."""
    found = re.match(r"(\d+) ticket", await page.inner_text("header.head p"))
    return int(found[1]) if found else 0


async def pressed(page: Page, key: str) -> None:
    async with page.expect_navigation():
        await page.keyboard.press(key)


async def clicked(page: Page, button: Any) -> None:
    async with page.expect_navigation():
        await button.click()


async def test_from_the_first_account_to_an_undone_correction(story: Story, real_browser: Browser) -> None:
    parts = story.site.parts
    link = first.link(parts.database, story.site.url) or ""
    async with browsing(real_browser, story.site, viewport=DESK) as page:
        await page.goto(link)
        await page.fill("#name", "Kim")
        await page.fill("#password", PASSWORD)
        await page.fill("#again", PASSWORD)
        await page.press("#again", "Enter")
        await page.wait_for_selector("table.tickets")
        await page.keyboard.press("g")
        await pressed(page, "r")
        for left in range(count := await waiting(page), count - KEYED, -1):
            assert await waiting(page) == left
            await pressed(page, "1" if left % 2 else "5")
        assert await waiting(page) == count - KEYED
        assert len(story.reviews()) == KEYED
        cookies = await page.context.cookies()
    (cookie,) = (one["value"] for one in cookies if one["name"] == "rolecall")
    async with browsing(real_browser, story.site, cookie, viewport=PHONE, has_touch=True) as page:
        await page.goto("/review")
        for left in range(count - KEYED, count - KEYED - TOUCHED, -1):
            assert await waiting(page) == left
            button = page.locator("form.choose .picks button.pick").nth(left % 3)
            box = await button.bounding_box()
            assert box is not None
            assert box["height"] >= 44, "as large as a thumb"
            async with page.expect_navigation():
                await button.tap()
        assert len(story.reviews()) == KEYED + TOUCHED
        await page.goto("/")
        corrected = []
        for number in range(FILED - 2, FILED + 1):
            path = f"/tickets/it-desk/{number}"
            await page.goto(path)
            named = story.site.parts.classifier.catalogue.names
            said = await page.inner_text("main .say")
            other = next(name for name in named if name not in said)
            async with page.expect_navigation():
                await page.locator(f'form.choose button[name=role][value="{other}"]').first.tap()
            corrected.append((f"it-desk:{number}", [other]))
        assert [(row.ticket_key, row.roles) for row in story.reviews()[-3:]] == corrected
        assert {row.strength for row in story.reviews()[-3:]} == {Strength.CORRECTED}
        async with page.expect_navigation():
            await page.locator("button[name=undo]").first.tap()
        assert await page.locator("button[name=undo]").count() == 0
    await story.site.idle()
    kept = [row for row in story.reviews() if row.withdrawn is None]
    assert [row.ticket_key for row in kept[-2:]] == [key for key, _ in corrected[:2]]
    told = [story.desk.comments(key.partition(":")[2])[0].text for key, _ in corrected]
    said = [f"**Role: {roles[0]}** (said by staff" in text for text, (_, roles) in zip(told, corrected, strict=True)]
    assert said == [True, True, False], "the last one was undone"


async def test_a_link_a_model_a_dead_letter_and_a_file_elsewhere(
    story: Story, real_browser: Browser, tmp_path: Path
) -> None:
    parts, desk = story.site.parts, story.desk
    registry = Registry(parts.directory.models, parts.directory.encoders)
    version, other = registry.versions()[0].version, new_version(utcnow())
    copytree(registry.folder(version), registry.folder(other))
    manifest = registry.folder(other) / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace(version, other), "utf-8")
    desk.faults = [Permanent("the helpdesk refused the comment (403)")]
    await story.told(desk.create("VPN is down", "The VPN drops every hour."))
    cookie = parts.database.call(somebody, "Boss", Rights.OPERATOR)
    async with browsing(real_browser, story.site, cookie, viewport=DESK) as page:
        await page.goto("/status")
        assert "refused the comment (403)" in await page.inner_text("main")
        await clicked(page, page.get_by_role("button", name=re.compile("^Retry ")).first)
        await story.site.idle()
        (comment,) = desk.comments(str(FILED + 1))
        await page.goto(re.findall(rf"{PUBLIC}(/l/[^)]+)", comment.text)[0])
        assert "You are about to say: Network is right." in await page.inner_text("main")
        assert await faults(page) == []
        assert [row for row in story.reviews() if row.via == Via.LINK] == [], "looking says nothing"
        await clicked(page, page.get_by_role("button").first)
        assert "Recorded" in await page.inner_text("main")
        await story.site.idle()
        assert "confirmed by staff" in desk.comments(str(FILED + 1))[0].text
        await page.goto("/models")
        await page.get_by_label(f"Reason for promoting version {other}").fill("it is newer")
        await clicked(page, page.get_by_role("button", name=f"Promote version {other}"))
        assert f"Version {other} serves." in await page.inner_text("main")
        await page.fill("#why", "it was worse")
        await clicked(page, page.get_by_role("button", name="Roll back"))
        assert f"Version {version} serves." in await page.inner_text("main")
        await page.goto("/report")
        async with page.expect_download() as download:
            await page.get_by_role("button", name="CSV").click()
        file = tmp_path / "known-roles.csv"
        await (await download.value).save_as(file)
    actions = parts.database.call(lambda session: [line.action for line in session.exec(select(Audit))])
    assert {"retried", "promoted", "rolled_back", "exported"} <= set(actions)
    taken_in(file, tmp_path)


def taken_in(file: Path, folder: Path) -> None:
    """Import what was exported into an installation of its own, and export that: the same rows."""
    settings = folder / "elsewhere.toml"
    settings.write_text(f'roles = "{TICKETS / "roles.toml"}"\nrules = "{TICKETS / "rules.toml"}"\n', "utf-8")
    places = ["--config", str(settings), "--data", str(folder / "elsewhere")]
    again = folder / "again.csv"
    (folder / "elsewhere").mkdir()
    for command in (["import", str(file), *places], ["export", str(again), *places]):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, (command, result.output, result.exception)
    assert sorted(again.read_text("utf-8").splitlines()) == sorted(file.read_text("utf-8").splitlines())
    assert len(file.read_text("utf-8").splitlines()) > 60


async def test_every_page_can_be_used_light_and_dark_on_a_desk_and_a_phone(story: Story, real_browser: Browser) -> None:
    """Also those that a quick test leaves out: forms that are opened, answers, refusals."""
    parts = story.site.parts
    parts.database.call(trained, (300, 0.6), (900, 0.8))
    boss, kim = (parts.database.call(somebody, name, rights) for name, rights in PEOPLE)
    link = re.findall(rf"{PUBLIC}(/l/[^)]+)", story.desk.comments("1")[0].text)[0]
    week = f"{utcnow().astimezone():%G-W%V}"
    paths = (
        *(
            "/",
            "/?is=corrected",
            "/review",
            "/review/bulk",
            "/tickets/it-desk/1",
            "/tickets/it-desk/999",
            "/search?q=vpn",
        ),
        *("/search?q=vpn", "/report", f"/report/{week}", "/roles", "/roles?edit=Network", "/rules"),
        *(
            "/models",
            "/status",
            "/users",
            "/account",
            "/log",
            "/search?q=vpn",
            link,
            f"{link.rpartition('/')[0]}/other",
        ),
    )
    strangers = ("/sign-in", first.link(parts.database, "") or "/sign-in/x", link)
    refused = ((kim, "/users"), (None, "/l/none/0"), (boss, "/report/2999-W01"))
    wrong: list[str] = []
    for scheme, size in ((scheme, size) for scheme in ("light", "dark") for size in (DESK, PHONE)):
        look = {"viewport": size, "color_scheme": scheme}
        for cookie, visited in ((boss, paths), (None, strangers)):
            async with browsing(real_browser, story.site, cookie, **look) as page:
                for path in visited:
                    await page.goto(path)
                    wrong += [f"{path} {scheme} {size['width']}: {fault}" for fault in await usable(page)]
        for cookie, path in refused:
            context = await real_browser.new_context(base_url=story.site.url, **look)
            cookies = [{"name": "rolecall", "value": cookie, "url": story.site.url}] if cookie else []
            await context.add_cookies(cookies)
            page = await context.new_page()
            answer = await page.goto(path)
            assert answer is not None
            assert answer.status in (403, 404, 410), path
            wrong += [f"{path} {scheme} {size['width']}: {fault}" for fault in await usable(page)]
            await context.close()
    assert wrong == [], "\n".join(wrong)
