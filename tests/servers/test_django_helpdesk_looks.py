"""What sends no webhook on a real django-helpdesk is found by a look, and told exactly once."""

# ruff: noqa: ASYNC212 - people act between our awaits, and nothing else runs on the loop meanwhile

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from connectors.django_helpdesk import DjangoHelpdesk
from connectors.events import Kind
from connectors.sights import changes, sight
from tests.servers.receiver import Receiver, of_kinds, webhook_events

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("helpdesk")]

FileTicket = Callable[..., str]


async def test_the_first_look_takes_the_present_as_its_start(
    connector: DjangoHelpdesk, file_ticket: FileTicket
) -> None:
    for _ in range(7):
        file_ticket()
    first = await connector.poll(None)
    again = await connector.poll(first.watermark)
    assert (list(first.events), list(again.events)) == ([], [])


async def test_a_bulk_close_sends_no_webhook_and_is_found_by_the_next_look(
    connector: DjangoHelpdesk, receiver: Receiver, file_ticket: FileTicket, browser: httpx.Client
) -> None:
    numbers = [file_ticket() for _ in range(7)]
    start = await connector.poll(None)
    receiver.deliveries.clear()

    answer = browser.post("/tickets/update/", data={"ticket_id": numbers, "action": "close"})
    assert answer.status_code == 302
    look = await connector.poll(start.watermark)

    assert receiver.deliveries == []
    assert [(event.kind, event.ticket_id) for event in look.events] == [(Kind.CLOSED, number) for number in numbers]
    assert list((await connector.poll(look.watermark)).events) == []


async def test_a_close_by_patch_leaves_no_trace_and_is_found_by_the_next_look(
    connector: DjangoHelpdesk, receiver: Receiver, file_ticket: FileTicket, tech: httpx.Client
) -> None:
    number = file_ticket(queue="BKT")
    start = await connector.poll(None)
    receiver.deliveries.clear()

    tech.patch(f"/api/tickets/{number}/", json={"status": 4})
    first, repeated = await connector.poll(start.watermark), await connector.poll(start.watermark)

    assert receiver.deliveries == []
    (event,) = first.events
    assert (event.kind, event.ticket_id) == (Kind.CLOSED, number)
    assert event.ticket is not None
    assert (event.ticket.group, event.ticket.closed) == ("BKT", True)
    assert of_kinds(repeated.events) == of_kinds(first.events)
    assert list((await connector.poll(first.watermark)).events) == []


async def test_a_second_close_by_patch_after_more_talk_is_another_happening(
    connector: DjangoHelpdesk, file_ticket: FileTicket, tech: httpx.Client
) -> None:
    number = file_ticket()
    start = await connector.poll(None)
    tech.patch(f"/api/tickets/{number}/", json={"status": 4})
    closed = await connector.poll(start.watermark)
    tech.post("/api/followups/", json={"ticket": number, "comment": "Leaks again", "new_status": 2})
    reopened = await connector.poll(closed.watermark)
    tech.patch(f"/api/tickets/{number}/", json={"status": 4})
    closed_again = await connector.poll(reopened.watermark)

    assert [event.kind for event in reopened.events] == [Kind.COMMENTED, Kind.REOPENED]
    assert [event.kind for event in closed_again.events] == [Kind.CLOSED]
    assert closed.events[0].delivery_id != closed_again.events[0].delivery_id


async def test_a_look_after_an_outage_tells_exactly_what_the_webhooks_would_have_told(
    connector: DjangoHelpdesk, receiver: Receiver, file_ticket: FileTicket, tech: httpx.Client
) -> None:
    old = file_ticket()
    start = await connector.poll(None)
    receiver.deliveries.clear()
    tickets = [file_ticket() for _ in range(6)]
    tech.post("/api/followups/", json={"ticket": old, "comment": "Any news?", "public": True})
    tech.post("/api/followups/", json={"ticket": tickets[0], "comment": "Done", "new_status": 4})
    tech.post("/api/followups/", json={"ticket": tickets[1], "comment": "/role ENG"})
    await connector.post_comment(tickets[2], "Hydraulics")

    look = await connector.poll(start.watermark)

    told = webhook_events(connector, receiver)
    assert set(of_kinds(look.events)) == set(of_kinds(told))
    assert len(look.events) == len(told) == 10


async def test_a_new_ticket_closed_by_patch_before_anybody_looked_is_told_as_both(
    connector: DjangoHelpdesk, file_ticket: FileTicket, tech: httpx.Client
) -> None:
    start = await connector.poll(None)
    number = file_ticket()
    tech.patch(f"/api/tickets/{number}/", json={"status": 3})
    look = await connector.poll(start.watermark)
    assert [(event.kind, event.ticket_id) for event in look.events] == [(Kind.CREATED, number), (Kind.CLOSED, number)]


async def test_a_deleted_ticket_is_nobodys_business(
    connector: DjangoHelpdesk, file_ticket: FileTicket, tech: httpx.Client
) -> None:
    number = file_ticket()
    start = await connector.poll(None)
    tech.delete(f"/api/tickets/{number}/")
    assert list((await connector.poll(start.watermark)).events) == []


async def test_what_is_edited_in_place_or_deleted_is_seen_by_the_next_look(
    connector: DjangoHelpdesk, receiver: Receiver, file_ticket: FileTicket, tech: httpx.Client
) -> None:
    number = file_ticket(queue="BKT")
    notes = [tech.post("/api/followups/", json={"ticket": number, "comment": text}).json()["id"] for text in "ab"]
    start = await connector.poll(None)
    before = next(t for t in (await connector.poll(start.watermark)).tickets if t.id == number)
    receiver.deliveries.clear()
    tech.patch(f"/api/followups/{notes[0]}/", json={"comment": "/role ENG"})
    tech.delete(f"/api/followups/{notes[1]}/")
    tech.patch(f"/api/tickets/{number}/", json={"title": "Engine stalls"})
    look = await connector.poll(start.watermark)
    _, events = changes(sight(before, connector.author_id), next(t for t in look.tickets if t.id == number), "")

    assert receiver.deliveries == []
    assert [(e.kind, e.ticket_id, e.message.text if e.message else None) for e in events] == [
        (Kind.EDITED, number, "/role ENG"), (Kind.EDITED, number, ""), (Kind.EDITED, number, None),
    ]  # fmt: skip
