"""A system whose list of tickets tells no time of change: what differs from the last look has changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.errors import Permanent
from connectors.events import Kind
from connectors.manifest.catalogue import document_of, kind_of
from connectors.manifest.connector import ManifestConnector
from tests.connectors.systems.fake import Ticket
from tests.connectors.systems.installed import settings
from tests.connectors.systems.trackers import Redmine

pytestmark = pytest.mark.anyio


class Timeless(Redmine):
    """Redmine without the times of changes and closures; the list is in no order that tells anything."""

    def shown(self, ticket: Ticket) -> dict[str, Any]:
        row = super().shown(ticket) | {"comments": len(ticket.comments)}
        return {name: value for name, value in row.items() if name not in ("updated_on", "closed_on")}


def connect(fake: Timeless, **page: Any) -> ManifestConnector:
    document = document_of("redmine")
    del document["poll"]["changed_at"], document["ticket"]["closed_at"]
    document["poll"]["query"] = {"status_id": "*", "updated_on": ">=2000-01-01T00:00:00Z"}
    document["poll"]["page"] |= page
    client = httpx.AsyncClient(base_url=fake.url, transport=httpx.MockTransport(fake))
    return ManifestConnector("redmine", "plant", kind_of("timeless", document).manifest, settings("redmine"), client)


def told(found: Any) -> list[tuple[str, str]]:
    return sorted((event.kind.value, event.ticket_id) for event in found.events)


def long_ago() -> Timeless:
    fake = Timeless()
    fake.clock = datetime.now(UTC).replace(microsecond=0) - timedelta(days=9)
    return fake


async def test_what_was_there_is_history_and_what_differs_is_told_once() -> None:
    fake = long_ago()
    old, ended = fake.file("Long ago"), fake.file("Over long ago")
    fake.say(old, "/role engine")
    fake.close(ended)
    fake.clock = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    began = await connect(fake).poll(None)
    assert told(began) == []
    assert told(await connect(fake).poll(began.watermark)) == []
    new = fake.file("Pump 7 leaks")
    fake.say(old, "a word of today")
    found = await connect(fake).poll(began.watermark)
    assert told(found) == [("commented", str(old.id)), ("created", str(new.id))]
    requests = len(fake.requests)
    again = await connect(fake).poll(found.watermark)
    assert (told(again), [r.url.path for r in fake.requests[requests:]]) == ([], ["/issues.json"] * 3)
    fake.close(new)
    closed = await connect(fake).poll(again.watermark)
    known = {event.delivery_id for event in found.events}
    assert [event.kind for event in closed.events if event.delivery_id not in known] == [Kind.CLOSED]
    assert told(await connect(fake).poll(closed.watermark)) == []


async def test_more_than_one_look_can_read_follows_in_the_next() -> None:
    fake = long_ago()
    began = await connect(fake, most=100).poll(None)
    fake.clock = datetime.now(UTC) + timedelta(hours=1)
    tickets = [fake.file(f"Pump {number} leaks") for number in range(55)]
    first = await connect(fake, most=100).poll(began.watermark)
    second = await connect(fake, most=100).poll(first.watermark)
    assert (first.complete, second.complete) == (False, True)
    assert {event.ticket_id for event in (*first.events, *second.events)} == {str(ticket.id) for ticket in tickets}
    assert {event.kind for event in (*first.events, *second.events)} == {Kind.CREATED}


async def test_a_list_longer_than_may_be_read_is_told_and_there_is_no_history_of_it() -> None:
    fake = long_ago()
    for number in range(5):
        fake.file(f"Pump {number} leaks")
    connector = connect(fake, most=2)
    with pytest.raises(Permanent, match=r"longer than \[poll\] page.most allows to read"):
        await connector.poll(None)
    assert connector.capabilities.lists_history is False
    with pytest.raises(Permanent, match="its history cannot be read"):
        await connector.history(datetime.now(UTC), None, messages=False)
