"""One real django-helpdesk for the whole session, its webhooks caught by a real receiver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page

from agent.demo.helpdesk import HelpdeskServer, HelpdeskUnavailable, ensure_environment
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from tests.servers import chromium
from tests.servers.browser import signed_in
from tests.servers.receiver import Receiver

SECRET = "a-secret-for-tests-only"

FileTicket = Callable[..., str]


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with Receiver(SECRET) as running:
        yield running


@pytest.fixture(scope="session")
def helpdesk(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HelpdeskServer]:
    try:
        python = ensure_environment()
    except HelpdeskUnavailable as error:
        pytest.skip(f"no real helpdesk here: {error}")
    with HelpdeskServer(python, tmp_path_factory.mktemp("helpdesk"), webhook_url=receiver.url) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet_receiver(receiver: Receiver) -> Iterator[None]:
    receiver.deliveries.clear()
    yield
    receiver.hang_up = False


@pytest.fixture
def settings(helpdesk: HelpdeskServer) -> DjangoHelpdeskSettings:
    return DjangoHelpdeskSettings(
        url=helpdesk.url,
        token=helpdesk.tokens["agent"],
        author_id=str(helpdesk.user_ids["agent"]),
        webhook_secrets=(SECRET,),
        queues={str(number): slug for slug, number in helpdesk.queues.items()},
        page_size=5,
    )


@pytest.fixture
async def connector(settings: DjangoHelpdeskSettings) -> AsyncIterator[DjangoHelpdesk]:
    connector = DjangoHelpdesk("django-helpdesk", settings)
    yield connector
    await connector.aclose()


@pytest.fixture
def tech(helpdesk: HelpdeskServer) -> Iterator[httpx.Client]:
    """The API as a member of staff uses it."""
    with httpx.Client(
        base_url=helpdesk.url, headers={"Authorization": f"Token {helpdesk.tokens['tech']}"}, trust_env=False
    ) as client:
        yield client


@pytest.fixture
def browser(helpdesk: HelpdeskServer) -> Iterator[httpx.Client]:
    with signed_in(helpdesk) as client:
        yield client


@pytest.fixture(scope="session")
async def real_browser() -> AsyncIterator[Browser]:
    executable = chromium.installed()
    if executable is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    async with chromium.launched(executable) as running:
        yield running


@pytest.fixture
async def page(real_browser: Browser, helpdesk: HelpdeskServer) -> AsyncIterator[Page]:
    """The helpdesk as a member of staff has it in a browser."""
    async with chromium.signed_in(real_browser, helpdesk) as page:
        yield page


@pytest.fixture
def file_ticket(helpdesk: HelpdeskServer, tech: httpx.Client) -> FileTicket:
    """File a ticket through the API and return its id."""

    def file(title: str = "Grab does not close", body: str = "It stays open under load.", queue: str = "WO") -> str:
        ticket: dict[str, Any] = {
            "queue": helpdesk.queues[queue],
            "title": title,
            "description": body,
            "priority": 3,
            "submitter_email": "customer@example.test",
        }
        answer = tech.post("/api/tickets/", json=ticket)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    return file
