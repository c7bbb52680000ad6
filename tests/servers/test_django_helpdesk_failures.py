"""What fails on a real django-helpdesk is named by what the caller can do about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.demo.helpdesk import HelpdeskServer
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from connectors.errors import Ambiguous, Permanent, TicketNotFound, Transient
from tests.servers.receiver import Receiver

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("helpdesk")]

FileTicket = Callable[..., str]


async def test_a_comment_stored_under_an_answer_500_is_ambiguous(
    connector: DjangoHelpdesk, receiver: Receiver, file_ticket: FileTicket
) -> None:
    """The helpdesk fails our request because its own webhook was refused, after it stored the comment."""
    number = file_ticket()
    receiver.hang_up = True
    with pytest.raises(Ambiguous, match="500"):
        await connector.post_comment(number, "Hydraulics")
    assert [comment.text for comment in (await connector.read_ticket(number)).messages] == ["Hydraulics"]


async def test_an_unknown_ticket_may_come_yet(connector: DjangoHelpdesk) -> None:
    with pytest.raises(TicketNotFound):
        await connector.read_ticket("999999")
    with pytest.raises(TicketNotFound):
        await connector.post_comment("999999", "Hydraulics")


async def test_the_check_names_what_was_reached(connector: DjangoHelpdesk, helpdesk: HelpdeskServer) -> None:
    assert helpdesk.url in await connector.check()


async def test_a_wrong_token_is_said_at_the_check(settings: DjangoHelpdeskSettings) -> None:
    wrong = DjangoHelpdesk("django-helpdesk", replaced(settings, token="0" * 40))
    with pytest.raises(Permanent, match="401"):
        await wrong.check()
    await wrong.aclose()


async def test_a_url_beside_the_helpdesk_is_said_at_the_check(settings: DjangoHelpdeskSettings) -> None:
    beside = DjangoHelpdesk("django-helpdesk", replaced(settings, url=f"{settings.url}/admin"))
    with pytest.raises(Permanent):
        await beside.check()
    await beside.aclose()


@pytest.mark.parametrize("set_to", ["4711", None])
async def test_who_we_are_is_in_the_answer_to_a_comment(
    settings: DjangoHelpdeskSettings, file_ticket: FileTicket, set_to: str | None
) -> None:
    connector = DjangoHelpdesk("django-helpdesk", replaced(settings, author_id=set_to))
    stored = await connector.post_comment(file_ticket(), "Hydraulics")
    await connector.aclose()
    assert stored.author_id == settings.author_id


async def test_a_helpdesk_that_is_down_is_transient_and_never_ambiguous(settings: DjangoHelpdeskSettings) -> None:
    nobody = DjangoHelpdesk("django-helpdesk", replaced(settings, url="http://127.0.0.1:1"))
    with pytest.raises(Transient) as caught:
        await nobody.post_comment("1", "Hydraulics")
    assert not isinstance(caught.value, Ambiguous)
    await nobody.aclose()


def replaced(settings: DjangoHelpdeskSettings, **changes: object) -> DjangoHelpdeskSettings:
    names = ("url", "token", "author_id", "webhook_secrets", "queues", "page_size")
    return DjangoHelpdeskSettings(**{name: getattr(settings, name) for name in names} | changes)
