"""django-helpdesk holds the contract of all connectors, and reads its own format rightly."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from connectors.errors import InvalidSignature, MalformedPayload
from connectors.events import AuthorKind, Delivery, Event, Kind, Visibility
from connectors.http import make_client
from tests.connectors.contract import NAME, NEW, PAYLOADS, ConnectorContract

AGENT, TECH = 2, 3


def settings(**changes: Any) -> DjangoHelpdeskSettings:
    values: dict[str, Any] = {
        "url": "https://helpdesk.example.test/support/",
        "token": "0123abcd",
        "author_id": str(AGENT),
        "webhook_secrets": [NEW],
    }
    return TypeAdapter(DjangoHelpdeskSettings).validate_python(values | changes)


def parse(body: dict[str, Any], **changes: Any) -> list[Event]:
    return list(DjangoHelpdesk(NAME, settings(**changes)).parse(Delivery({}, json.dumps(body).encode(), NEW)))


def recorded(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((PAYLOADS / f"django-helpdesk_{name}.json").read_text())
    return body


class TestContract(ConnectorContract):
    kind = "django-helpdesk"
    recorded: ClassVar = {
        "created": [(Kind.CREATED, "ticket-1")],
        "comment": [(Kind.COMMENTED, "followup-3")],
        "own_comment": [],
        "closed": [(Kind.COMMENTED, "followup-5"), (Kind.CLOSED, "followup-5")],
        "reopened": [(Kind.REOPENED, "followup-6")],
    }

    @classmethod
    def connector(cls, *secrets: str) -> DjangoHelpdesk:
        return DjangoHelpdesk(NAME, settings(webhook_secrets=secrets))

    def signed(self, body: bytes, secret: str) -> Delivery:
        return Delivery({"content-type": "application/json"}, body, secret)


def test_a_creation_carries_the_ticket_as_filed() -> None:
    (event,) = parse(recorded("created"))
    ticket = event.ticket
    assert ticket is not None
    assert ticket.subject == "Boom drops when idling – leise Tropfgeräusche"
    assert ticket.body == "Parked with the boom up, down by the morning.\nOil *below* the cylinder."
    assert (ticket.group, ticket.closed, ticket.closed_at, ticket.messages) == ("WO", False, None, ())
    assert ticket.url == "https://helpdesk.example.test/support/tickets/1/"


def test_what_the_helpdesk_tells_of_a_ticket_is_known_and_all_else_is_unknown() -> None:
    body = recorded("created")
    (event,) = parse(body)
    assert event.ticket is not None
    assert (event.ticket.requester, event.ticket.assignee, event.ticket.priority) == (
        "customer@example.test",
        None,
        "2",
    )
    assert (event.ticket.tags, event.ticket.language) == (None, None)
    body["ticket"]["assigned_to"] = TECH
    (event,) = parse(body)
    assert event.ticket is not None
    assert event.ticket.assignee == str(TECH)


def test_a_status_of_ones_own_that_ends_a_ticket_is_no_reopening() -> None:
    """Control: with the server's own statuses, the same delivery reopens the ticket."""
    assert [event.kind for event in parse(recorded("reopened"))] == [Kind.REOPENED]
    assert [event.kind for event in parse(recorded("reopened"), open_statuses=[1])] == [Kind.CLOSED]


def test_a_reply_that_reopens_is_told_as_both() -> None:
    body = recorded("reopened")
    body["ticket"]["followup_set"][-1]["comment"] = "It drops again"
    said, reopened = parse(body)
    assert (said.kind, reopened.kind) == (Kind.COMMENTED, Kind.REOPENED)
    assert said.message is not None
    assert (said.message.text, said.message.author_kind) == ("It drops again", AuthorKind.UNKNOWN)


def test_a_closure_carries_the_conversation_with_who_said_what_to_whom() -> None:
    *_, event = parse(recorded("closed"))
    assert event.ticket is not None
    assert event.ticket.closed
    said = [(comment.text, comment.author_id, comment.visibility) for comment in event.ticket.messages]
    assert said == [
        ("/role hydraulics", str(TECH), Visibility.STAFF_ONLY),
        ("Hydraulics, likely\n\n[//]: # (rolecall 4f1c.9b2e)", str(AGENT), Visibility.STAFF_ONLY),
        ("Holding valve replaced, held overnight.", str(TECH), Visibility.PUBLIC),
    ]


def test_the_first_word_is_a_comment_where_no_form_repeated_the_description() -> None:
    """A ticket made in the admin pages has no opening follow-up."""
    body = recorded("comment")
    del body["ticket"]["followup_set"][0]
    (event,) = parse(body)
    assert event.ticket is not None
    assert [comment.text for comment in event.ticket.messages] == ["/role hydraulics"]


def test_comments_by_mail_have_no_author() -> None:
    body = recorded("comment")
    body["ticket"]["followup_set"][-1]["user"] = None
    (event,) = parse(body)
    assert event.message is not None
    assert event.message.author_id is None


def test_a_follow_up_that_is_not_in_the_ticket_is_malformed() -> None:
    body = recorded("comment")
    body["followup_id"] = 4711
    with pytest.raises(MalformedPayload, match="names no follow-up of the ticket"):
        parse(body)


def test_a_follow_up_of_another_ticket_is_malformed() -> None:
    body = recorded("comment")
    body["ticket"]["id"] += 1
    with pytest.raises(MalformedPayload, match="of another ticket"):
        parse(body)


def test_a_status_of_ones_own_can_be_declared_open() -> None:
    body = recorded("closed")
    body["ticket"]["status"] = body["ticket"]["followup_set"][-1]["new_status"] = 6
    assert Kind.CLOSED in [event.kind for event in parse(body)]
    assert Kind.CLOSED not in [event.kind for event in parse(body, open_statuses=[1, 2, 6])]


def test_times_without_a_zone_are_unknown() -> None:
    body = recorded("comment")
    body["ticket"]["followup_set"][-1]["date"] = "2026-11-22T02:25:17.072427"
    (event,) = parse(body)
    assert event.occurred_at is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", "helpdesk.example.test"),
        ("url", "ftp://helpdesk.example.test"),
        ("url", "https://user:pass@helpdesk.example.test"),
        ("url", "https://helpdesk.example.test/?q=1"),
        ("token", ""),
        ("token", "two words"),
        ("token", "line\nbreak"),
        ("author_id", "agent"),
        ("webhook_secrets", []),
        ("webhook_secrets", ["short"]),
        ("webhook_secrets", ["sixteen/characters/long"]),
        ("open_statuses", []),
        ("ca_file", "no/such/file.pem"),
        ("page_size", 0),
        ("queue", {}),
    ],
)
def test_a_faulty_setting_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**{name: value})
    assert [error["loc"][0] for error in caught.value.errors()] == [name]


def test_all_faulty_settings_are_named_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        settings(url="", token="", author_id="")
    assert {error["loc"][0] for error in caught.value.errors()} == {"url", "token", "author_id"}


def test_secrets_are_not_in_the_settings_text() -> None:
    text = repr(settings())
    assert "0123abcd" not in text
    assert NEW not in text


def helpdesk_with(ticket: dict[str, Any]) -> DjangoHelpdesk:
    """Return a connector to a helpdesk that has this one ticket."""

    def respond(request: httpx.Request) -> httpx.Response:
        rows = ticket["followup_set"] if "followups" in request.url.path else [ticket]
        return httpx.Response(200, json={"count": len(rows), "results": rows})

    transport = httpx.MockTransport(respond)
    client = make_client("https://helpdesk.example.test/support", {}, timeout_seconds=5, transport=transport)
    return DjangoHelpdesk(NAME, settings(), client)


@pytest.mark.anyio
async def test_the_check_names_a_queue_without_a_slug() -> None:
    assert "queue 1 is not in `queues`" in await helpdesk_with(recorded("comment")["ticket"]).check()


@pytest.mark.anyio
async def test_the_check_warns_when_staff_only_comments_are_mailed() -> None:
    ticket = recorded("comment")["ticket"]
    assert "mailed" not in await helpdesk_with(ticket).check()
    ours = {**ticket["followup_set"][-1], "user": int(settings().author_id), "public": False}
    ours |= {"email_recipients": ["on-copy@example.test"]}
    warned = await helpdesk_with({**ticket, "followup_set": [ours]}).check()
    assert "HELPDESK_PRIVATE_FOLLOWUP_MEANS_NO_EMAILS" in warned
    assert "on-copy" not in warned


@pytest.mark.anyio
@pytest.mark.parametrize(("mailed", "private", "warns"), [(1, 1, False), (1, 9, False), (3, 9, False), (5, 6, True)])
async def test_one_comment_that_was_made_private_later_proves_nothing(mailed: int, private: int, warns: bool) -> None:
    """It keeps the recipients that it had when it was public."""
    ticket = recorded("comment")["ticket"]
    theirs = {**ticket["followup_set"][-1], "user": 99, "public": False, "email_recipients": []}
    rows = [theirs | {"id": n + 1, "email_recipients": ["a@example.test"] * (n < mailed)} for n in range(private)]
    assert ("mailed" in await helpdesk_with({**ticket, "followup_set": rows}).check()) is warns


@pytest.mark.anyio
async def test_a_ticket_with_a_sign_that_no_database_keeps_is_read() -> None:
    """A mail with NUL, filed by the helpdesk's mailbox: one such ticket had kept a page of others from being read."""
    ticket = recorded("comment")["ticket"]
    assert "1 open tickets" in await helpdesk_with({**ticket, "title": "Visitor\0 coming"}).check()


def test_the_webhooks_address_may_end_with_a_slash() -> None:
    connector = DjangoHelpdesk(NAME, settings())
    connector.verify(Delivery({}, b"", f"{NEW}/"))
    for wrong in (f"{NEW}//", f"/{NEW}", f"{NEW}/x", "/", ""):
        with pytest.raises(InvalidSignature):
            connector.verify(Delivery({}, b"", wrong))
