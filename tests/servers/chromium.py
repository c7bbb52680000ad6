"""A real browser: Chromium as the system has it, without a window, that reaches this machine only."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright

from agent.demo.helpdesk import HelpdeskServer

NAMES = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT = 10_000
"""Milliseconds that a page may take to do what is asked."""

ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def installed() -> str | None:
    """Return the path of the browser, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@asynccontextmanager
async def launched(executable: str) -> AsyncIterator[Browser]:
    """Yield a running browser with an empty profile, which is removed with it."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            executable_path=executable, headless=True, chromium_sandbox=False, args=ARGUMENTS
        )
        yield running
        await running.close()


@asynccontextmanager
async def signed_in(browser: Browser, helpdesk: HelpdeskServer, name: str = "tech") -> AsyncIterator[Page]:
    """Yield a page of the helpdesk as one of its people has it, signed in through its own form."""
    context = await browser.new_context(base_url=helpdesk.url)
    context.set_default_timeout(TIMEOUT)
    page = await context.new_page()
    await page.goto("/login/")
    await page.fill("#username", name)
    await page.fill("#password", helpdesk.seed.passwords[name])
    await page.click("button[type=submit]")
    await page.wait_for_url("**/tickets/**")
    yield page
    await context.close()


async def reply(page: Page, ticket_id: str, text: str, *, public: bool) -> None:
    """Type a reply into the form below a ticket and send it; `public` is whether the requester may read it."""
    await page.goto(f"/tickets/{ticket_id}/")
    await page.click("#respond-tab")
    await page.fill("#commentBox", text)
    await page.set_checked("input[name=public]", public)
    async with page.expect_navigation():
        await page.click("#ticket-respond-form button[type=submit]")


async def edit_note(page: Page, ticket_id: str, note_id: str, text: str) -> None:
    """Change the text of a note in the helpdesk's form for it."""
    await page.goto(f"/tickets/{ticket_id}/followup_edit/{note_id}/")
    await page.fill("#id_comment", text)
    async with page.expect_navigation():
        await page.click("form[name=edit_followup_form] input[type=submit]")


async def edit_ticket(page: Page, ticket_id: str, title: str) -> None:
    """Change the title of a ticket in the helpdesk's form for it."""
    await page.goto(f"/tickets/{ticket_id}/edit/")
    await page.fill("#id_title", title)
    async with page.expect_navigation():
        await page.click("input[value='Save Changes']")


async def merge(page: Page, ticket_id: str, into: str) -> None:
    """Merge a ticket into another on the helpdesk's page for it."""
    await page.goto(f"/tickets/merge?tickets={ticket_id}&tickets={into}")
    await page.check(f"input[name=chosen_ticket][value='{into}']")
    async with page.expect_navigation():
        await page.click("form[method=post] button[type=submit].btn-lg")
