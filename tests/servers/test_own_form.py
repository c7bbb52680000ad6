"""What staff type into the helpdesk's own form, in a real browser, is what the connector hands on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.async_api import Page

from agent.domain import Role, RoleCatalogue
from agent.feedback.commands import Correct, parse
from connectors.django_helpdesk import DjangoHelpdesk
from connectors.events import Visibility
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
