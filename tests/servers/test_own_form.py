"""What staff type into the helpdesk's own form, in a real browser, is what the connector hands on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
from playwright.async_api import Browser, Page

from agent.app import create_app
from agent.core import Parts
from agent.demo.helpdesk import HelpdeskServer
from agent.domain import Role, RoleCatalogue
from agent.feedback.commands import Correct, parse
from agent.store import status
from connectors.base import LOOK_BACK, Poll
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from connectors.events import Visibility
from tests.patience import PATIENCE_SECONDS
from tests.servers.chromium import edit_note, edit_ticket, merge, reply, signed_in
from tests.servers.receiver import Receiver, webhook_events

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("helpdesk")]

FileTicket = Callable[..., str]


@pytest.mark.parametrize("public", [False, True])
async def test_a_note_holds_a_command_on_windows_line_ends_and_who_may_read_it(
    connector: DjangoHelpdesk, receiver: Receiver, file_ticket: FileTicket, page: Page, public: bool
) -> None:
    """Browsers end every line of a text field with CR LF, whatever the system (HTML Standard, form submission)."""
    number = file_ticket()
    receiver.wait_for(1)
    receiver.deliveries.clear()
    await reply(page, number, "/role Hydraulics\nThe pump itself is fine, a hose leaks.\n", public=public)
    receiver.wait_for(1)

    (event,) = webhook_events(connector, receiver)

    assert event.message is not None
    assert "\r\n" in event.message.text
    assert event.message.visibility is (Visibility.PUBLIC if public else Visibility.STAFF_ONLY)
    assert parse(event.message.text, RoleCatalogue([Role("Hydraulics")])) == Correct(("Hydraulics",))


class Polled(DjangoHelpdesk):
    """Counts the looks that ended."""

    polls = 0

    async def poll(self, watermark: str | None, look_back: timedelta = LOOK_BACK) -> Poll:
        found = await super().poll(watermark, look_back)
        self.polls += 1
        return found


@dataclass
class Served:
    """Rolecall at work on the helpdesk, which hands it each webhook that was caught."""

    parts: Parts
    connector: Polled
    hooks: httpx.AsyncClient
    receiver: Receiver

    async def pass_on(self, count: int) -> None:
        """Hand on so many webhooks, and wait until all is done."""
        for delivery in self.receiver.wait_for(count):
            await self.hooks.post(f"/hooks/django-helpdesk/{delivery.segment}", content=delivery.body)
        await self.done()
        self.receiver.deliveries.clear()  # of our own comments, too

    async def look(self) -> None:
        """Wait until a look that began after this call is worked off."""
        begun = self.connector.polls
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.connector.polls < begun + 3:  # the one before is stored then
                await asyncio.sleep(0.02)
        await self.done()
        self.receiver.deliveries.clear()

    async def done(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.parts.database.read(status.counts):
                await asyncio.sleep(0.02)


@pytest.fixture(params=["en"])
async def served(
    request: pytest.FixtureRequest, parts_for: Callable[..., Parts], settings: DjangoHelpdeskSettings,
    receiver: Receiver, helpdesk: HelpdeskServer,
) -> AsyncIterator[Served]:  # fmt: skip
    given = {"work": {"settle_seconds": 0.2, "poll_seconds": 0.3}, "triage": {"silent_below": 0.2}}
    parts = parts_for(**given, language=request.param)
    staff = tuple(str(helpdesk.user_ids[name]) for name in ("tech", "admin"))
    connector = Polled("django-helpdesk", replace(settings, author_id=None, staff=staff, page_size=100))
    app = create_app(parts, {"django-helpdesk": connector}, ("false",))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rolecall") as hooks,
    ):
        yield Served(parts, connector, hooks, receiver)


async def notes(page: Page, number: str) -> str:
    """Return what a member of staff reads below a ticket."""
    await page.goto(f"/tickets/{number}/")
    return await page.inner_text("#followup-list")


@pytest.mark.parametrize(
    ("served", "public", "note", "answer"),
    [
        ("en", False, "/role Electrician\nThe pump itself is fine.\n", "Role: Electrician (said by staff"),
        ("de", True, "Bitte so:\n/rolle Electrician\nGrüße, Kim\n", "Rolle: Electrician (vom Team genannt"),
    ],
    indirect=["served"],
)
async def test_staff_correct_us_in_their_browser_and_see_it_there(
    served: Served, file_ticket: FileTicket, page: Page, public: bool, note: str, answer: str
) -> None:
    number = file_ticket("VPN is down")
    await served.pass_on(1)
    await reply(page, number, note, public=public)
    await served.pass_on(1)
    shown = await notes(page, number)
    assert answer in shown
    assert ("stellen Sie die Notiz auf privat" in shown) is public


async def test_what_staff_edit_delete_and_merge_in_their_browser_shows_in_our_one_comment(
    served: Served, helpdesk: HelpdeskServer, real_browser: Browser, file_ticket: FileTicket, page: Page
) -> None:
    """The helpdesk tells nobody of any of this."""
    first, second = file_ticket("VPN is down"), file_ticket("Socket sparks")
    await served.pass_on(2)
    await served.look()
    await reply(page, first, "/role Electrician\n", public=False)
    await served.pass_on(1)
    note = (await served.connector.read_ticket(first)).messages[-1]
    await edit_note(page, first, note.id or "", "/role Plumbing\nNo sparks, it drips.\n")
    await served.look()
    assert "Role: Plumbing & HVAC (said by staff" in await notes(page, first)

    async with signed_in(real_browser, helpdesk, "admin") as boss:
        await boss.goto(f"/tickets/{first}/followup_delete/{note.id}/")
    await served.look()
    shown = await notes(page, first)
    assert "Network?" in shown
    assert "I took the last answer back" in shown

    await edit_ticket(page, first, "Tap drips")
    await served.look()
    assert "Plumbing & HVAC?" in await notes(page, first)

    await reply(page, first, "/role Network", public=False)
    await served.pass_on(1)
    await merge(page, first, into=second)
    assert (await notes(page, second)).count("Role:") == 2
    await served.look()
    shown = await notes(page, second)
    assert shown.count("Role:") == 1
    assert "Role: Network (said by staff" in shown
    assert (await served.connector.read_ticket(first)).messages == ()
