"""Request Tracker 5: deliveries of our scrip as a real server sent them, and a system in memory with its quirks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, ClassVar

import httpx
import pytest

from connectors.base import Change, Connector, Field
from connectors.errors import Ambiguous, MalformedPayload, Permanent, TicketNotFound, Transient
from connectors.events import AuthorKind, Delivery, Kind, Visibility
from connectors.request_tracker import RequestTracker, RequestTrackerSettings
from tests.connectors.contract import NAME, NEW, ConnectorContract, check
from tests.connectors.systems.request_tracker import QUEUES, TECH, US
from tests.connectors.systems.request_tracker import RequestTracker as System

MARK = "rolecall-" + "a1" * 10


def settings(*secrets: str, **more: Any) -> RequestTrackerSettings:
    encoded = tuple("whsec_" + base64.b64encode(secret.encode()).decode() for secret in secrets or (NEW,))
    given: dict[str, Any] = {"author_id": US, "tag_field": "Rolecall"} | more
    return RequestTrackerSettings(
        url="https://rt.example.org", token="1-30-0123456789", webhook_secrets=encoded, **given
    )


class TestRequestTracker(ConnectorContract):
    kind = "request-tracker"
    recorded: ClassVar[dict[str, Sequence[tuple[Kind, str]]]] = {
        "created": [(Kind.CREATED, "ticket-1")],
        "comment": [(Kind.COMMENTED, "ticket-1-transaction-62")],
        "correspond": [(Kind.COMMENTED, "ticket-1-transaction-63")],
        "opened": [],
        "moved": [(Kind.MOVED, "ticket-1-transaction-67")],
        "renamed": [(Kind.EDITED, "ticket-1-transaction-68")],
        "closed": [(Kind.CLOSED, "ticket-1-transaction-71")],
        "reopened": [(Kind.REOPENED, "ticket-1-transaction-73")],
    }

    @classmethod
    def connector(cls, *secrets: str) -> Connector:
        return RequestTracker(NAME, settings(*secrets))

    def signed(self, body: bytes, secret: str) -> Delivery:
        now = str(int(time.time()))
        digest = hmac.new(secret.encode(), f"rt-7.{now}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(digest).decode()}"
        headers = {"webhook-id": "rt-7", "webhook-timestamp": now, "webhook-signature": signature}
        return Delivery(headers, body)

    def test_it_is_told_who_staff_is_and_who_reads_it(self) -> None:
        (event,) = self.made(NEW).parse(self.signed(self.body("comment"), NEW))
        assert event.message is not None
        assert (event.message.author_id, event.message.text) == ("tech", "/role hydraulics")
        assert (event.message.author_kind, event.message.visibility) == (AuthorKind.STAFF, Visibility.STAFF_ONLY)
        (event,) = self.made(NEW).parse(self.signed(self.body("correspond"), NEW))
        assert event.message is not None
        assert event.message.visibility is Visibility.PUBLIC


@pytest.fixture
def system() -> System:
    return System()


def connect(system: System, **more: Any) -> RequestTracker:
    client = httpx.AsyncClient(base_url="https://rt.example.org", transport=httpx.MockTransport(system))
    return RequestTracker("plant-2", settings(**more), client)


pytestmark = pytest.mark.anyio


async def test_who_we_are_is_known_from_the_token(system: System) -> None:
    connector = connect(system, author_id=None)
    assert await connector.check() == "Request Tracker at https://rt.example.org, as rolecall, 2 queues"
    assert connector.author_id == US


async def test_a_ticket_is_read_over_short_pages_without_its_files(system: System) -> None:
    ticket = system.file("Pump 7 leaks")
    for number in range(4):
        system.add(ticket, "Comment" if number % 2 else "Correspond", text=f"word {number}", file=number == 3)
    system.add(ticket, "Comment", "customer", text="mine")
    read = await connect(system).read_ticket("1")
    assert (read.subject, read.body, read.group, read.closed) == (
        "Pump 7 leaks",
        "Oil under the pump",
        "Work orders",
        False,
    )
    assert [m.text for m in read.messages] == ["word 0", "word 1", "word 2", "word 3", "mine"]
    assert [m.author_kind for m in read.messages] == [AuthorKind.STAFF] * 4 + [AuthorKind.REQUESTER]
    assert {m.visibility for m in read.messages} == {Visibility.PUBLIC, Visibility.STAFF_ONLY}
    asked = [r.url.params["fields"].split(",") for r in system.requests if r.url.path.endswith("/attachments")]
    assert asked
    assert not any("Content" in fields for fields in asked)
    assert (read.created_at, read.closed_at, read.tags) == (ticket.rows[0].at, None, ())


async def test_a_ticket_without_files_takes_few_requests(system: System) -> None:
    ticket = system.file("Pump 7 leaks")
    ticket.rows = [row for row in ticket.rows if not row.hidden]
    await connect(system).read_ticket("1")
    assert len(system.requests) == 5  # the ticket, its history, its attachments, their text, and who the author is


async def test_a_comment_is_posted_once_and_found_by_a_fresh_process(system: System) -> None:
    ticket = system.file("Pump 7 leaks")
    stored = await connect(system, author_id=None).post_comment("1", f"Role: <b>Network</b> {MARK}")
    fresh = await connect(system).read_ticket("1")
    assert [(m.id, m.author_id, MARK in m.text) for m in fresh.messages] == [(stored.id, US, True)]
    assert stored.author_id == US
    assert [row.type for row in ticket.rows if row.creator == US] == ["Comment"]
    system.lose_answers = 1
    with pytest.raises(Ambiguous):
        await connect(system).post_comment("1", "x")
    for edit in (connect(system).edit_comment("1", stored.id, "x"), connect(system).remove_comment("1", stored.id)):
        with pytest.raises(Permanent):
            await edit


async def test_a_ticket_that_is_not_there_is_told_from_a_right_that_is_missing(system: System) -> None:
    connector = connect(system)
    for call in (connector.read_ticket("7"), connector.post_comment("7", "x")):
        with pytest.raises(TicketNotFound):
            await call
    with pytest.raises(TicketNotFound):
        await connector.change_ticket("7", Change(Field.SUBJECT, "x", "y"))
    system.file("Pump 7 leaks")
    system.failures = [httpx.Response(400, json={"message": "Permission Denied"})]
    with pytest.raises(Permanent, match="CommentOnTicket"):
        await connector.post_comment("1", "x")
    for other in ("../user", "", "1/2", "x"):
        with pytest.raises(Permanent):
            await connector.read_ticket(other)


VALUES = {Field.GROUP: ("Network", "Work orders"), Field.SUBJECT: ("Pump 7", "Pump 7 leaks"), Field.TAG: ("vip", None)}


@pytest.mark.parametrize("field", VALUES)
async def test_a_ticket_is_changed_unless_somebody_was_faster(system: System, field: Field) -> None:
    ticket, connector = system.file("Pump 7 leaks"), connect(system)
    value, before = VALUES[field]
    assert field in connector.capabilities.changes

    def held() -> str:
        return {Field.GROUP: QUEUES[ticket.queue], Field.SUBJECT: ticket.subject, Field.TAG: "".join(ticket.tags)}[
            field
        ]

    was = held()
    system.before_writing = lambda ticket: system.add(ticket, "Comment", text="wait") and None
    with pytest.raises(Transient, match="just now"):
        await connector.change_ticket("1", Change(field, value, before))
    system.before_writing = None
    if before is not None:
        with pytest.raises(Transient, match="somebody"):
            await connector.change_ticket("1", Change(field, value, "something else"))
    system.may_change = False
    with pytest.raises(Permanent, match="right"):
        await connector.change_ticket("1", Change(field, value, before))
    assert held() == was
    system.may_change = True
    for _ in range(2):
        await connector.change_ticket("1", Change(field, value, before))
    assert held() == value
    with pytest.raises(Permanent, match="no such"):
        await connector.change_ticket("1", Change(Field.GROUP, "Nowhere"))


async def test_without_a_field_for_tags_none_are_written_or_shown(system: System) -> None:
    system.file("Pump 7 leaks")
    connector = connect(system, tag_field=None)
    assert connector.capabilities.changes == {Field.GROUP, Field.SUBJECT}
    assert (await connector.read_ticket("1")).tags is None


async def test_moves_are_told_with_time_and_author(system: System) -> None:
    ticket = system.file("Pump 7 leaks")
    there = [system.move(ticket, "4"), system.move(ticket, "9", US)]
    moves = await connect(system).read_moves("1")
    assert [(m.before, m.after, m.author_id) for m in moves] == [
        ("Work orders", "Network", TECH),
        ("Network", None, US),
    ]
    assert [m.at for m in moves] == [row.at for row in there]


async def test_a_poll_finds_each_thing_once_under_the_ids_of_webhooks(system: System) -> None:
    connector = connect(system)
    began = await connector.poll(None)
    tickets = [system.file(f"Pump {number} leaks") for number in range(5)]
    word = system.add(tickets[1], "Comment", text="/role network")
    await connector.post_comment("1", "ours")
    closing = system.status(tickets[4], "resolved")
    found = await connector.poll(began.watermark)
    assert {(e.kind, e.delivery_id) for e in found.events} == {
        *((Kind.CREATED, f"ticket-{ticket.id}") for ticket in tickets),
        (Kind.COMMENTED, f"ticket-2-transaction-{word.id}"),
        (Kind.CLOSED, f"ticket-5-transaction-{closing.id}"),
    }
    assert {t.id for t in found.tickets} == {"1", "2", "3", "4", "5"}
    for event in found.events:
        check(event)
    assert list((await connector.poll(found.watermark)).events) == []
    asked = [request.url.params["query"] for request in system.requests if request.url.path.endswith("/tickets")]
    assert all(query.endswith("Z'") for query in asked)  # the zone of our account changes nothing
    system.failures = [httpx.Response(200, json={"items": [{"id": "x"}]})]
    with pytest.raises(Permanent):
        await connector.poll(found.watermark)


async def test_history_tells_each_closed_ticket_once_as_a_poll_would_however_often_the_reader_dies(
    system: System,
) -> None:
    began = await connect(system).poll(None)
    tickets = [system.file(f"Pump {number} leaks") for number in range(5)]
    closings = [system.status(ticket, "resolved") for ticket in tickets[:4]]
    system.status(tickets[3], "open")
    told, place, parts = list[str](), None, 0
    while True:
        past = await connect(system).history(tickets[0].rows[0].at, place, messages=False)
        told += [event.delivery_id for event in past.closures]
        assert all(event.ticket and event.ticket.body == "Oil under the pump" for event in past.closures)
        parts += 1
        if parts == 1:
            system.add(tickets[0], "Comment", text="moved to the end of the list of changes")
            system.file("filed meanwhile")
        if past.complete:
            break
        place = past.place
    assert told == [f"ticket-{n + 1}-transaction-{row.id}" for n, row in enumerate(closings[:3])]
    assert (parts, past.share) == (3, 1.0)
    polled = await connect(system).poll(began.watermark)
    assert set(told) < {event.delivery_id for event in polled.events}


async def test_a_merged_ticket_says_where_it_goes_on(system: System) -> None:
    system.file("Pump 7 leaks")
    second = system.file("The same")
    second.merged_into = 1
    read = await connect(system).read_ticket("2")
    assert (read.id, read.merged_into, read.closed, read.messages) == ("2", "1", True, ())


async def test_what_answers_mean(system: System) -> None:
    system.file("Pump 7 leaks")
    for answer, error in (
        (httpx.Response(401), Permanent),
        (httpx.Response(429, headers={"retry-after": "7"}), Transient),
        (httpx.Response(200, text="<html>"), Permanent),
        (httpx.Response(200, json=[]), Permanent),
    ):
        system.failures = [answer]
        with pytest.raises(error):
            await connect(system).read_ticket("1")


def test_the_scrip_is_shipped() -> None:
    folder = files("connectors") / "request_tracker" / "scrip"
    assert "package RT::Action::RolecallWebhook;" in (folder / "RolecallWebhook.pm").read_text("utf-8")
    assert "'RolecallWebhook'" in (folder / "rolecall.initialdata").read_text("utf-8")


def test_a_secret_of_another_form_is_refused() -> None:
    for secret in ("short", "whsec_", "whsec_c2hvcnQ="):
        with pytest.raises(ValueError, match="webhook_secrets"):
            RequestTrackerSettings(url="https://rt.example.org", token="1-2-x", webhook_secrets=(secret,))
    with pytest.raises(MalformedPayload):
        connect(System()).parse(Delivery({}, b'{"type": "Create", "data": {"ticket": 1}}'))
