"""What staff type into the helpdesk's own form, in a real browser, is what the connector hands on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from playwright.async_api import Page

from agent.app import create_app
from agent.core import Parts
from agent.demo.helpdesk import HelpdeskServer
from agent.domain import Role, RoleCatalogue
from agent.feedback.commands import Correct, parse
from agent.store import status
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from connectors.events import Visibility
from tests.patience import PATIENCE_SECONDS
from tests.servers.chromium import reply
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


@pytest.mark.parametrize("public", [False, True])
async def test_staff_correct_us_in_their_browser_and_see_it_there(
    parts: Parts, settings: DjangoHelpdeskSettings, receiver: Receiver, helpdesk: HelpdeskServer,
    file_ticket: FileTicket, page: Page, public: bool,
) -> None:  # fmt: skip
    listed = replace(settings, author_id=None, staff=(str(helpdesk.user_ids["tech"]),))
    app = create_app(parts, {"django-helpdesk": DjangoHelpdesk("django-helpdesk", listed)}, ("false",))
    number = file_ticket("VPN is down")
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rolecall") as hooks,
    ):

        async def pass_on(count: int) -> None:
            for delivery in receiver.wait_for(count):
                await hooks.post(f"/hooks/django-helpdesk/{delivery.segment}", content=delivery.body)
            receiver.deliveries.clear()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while parts.database.call(status.counts):
                    await asyncio.sleep(0.02)

        await pass_on(1)
        receiver.deliveries.clear()  # of our own comment
        await reply(page, number, "/role Electrician\nThe pump itself is fine.\n", public=public)
        await pass_on(1)
        await page.goto(f"/tickets/{number}/")
        shown = await page.inner_text("#followup-list")
    assert "Role: Electrician (said by staff" in shown
    assert ("please make that note private" in shown) is public
