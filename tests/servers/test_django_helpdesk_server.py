"""The connector against a real django-helpdesk: what it sends is understood, what we ask for is what it then shows."""

# ruff: noqa: ASYNC212 - people act between our awaits, and nothing else runs on the loop meanwhile

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from agent.demo.helpdesk import HelpdeskServer
from connectors.django_helpdesk import DjangoHelpdesk
from connectors.django_helpdesk.templates import WORD_JOINER
from connectors.events import Kind, Visibility
from tests.servers.receiver import Receiver, of_kinds, webhook_events

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("helpdesk")]

FileTicket = Callable[..., str]

MARKER = "[//]: # (rolecall 4f1c.9b2e)"

NASTY = [
    "{{ ticket.title }} and {{ nosuch }}",
    "${{ github.sha }}",
    "{% if x %}y{% endif %}",
    "a lone {% and a lone %}",
    "{# not a comment #}",
    "{{ x|bad }}",
    "{{{ }}} {{{{ }}}}",
    "{%}%}{{%}}{#}",
    "{{✓}}",
    "{% verbatim %}{{ a }}{% endverbatim %}",
    'X-HELPDESK-COMMENT-VERBATIM {X-HELPDESK-COMMENT-VERBATIM {{ "X" }} {X-HELPDESK-COMMENT-ENDVERBATIM',
    "<script>alert(1)</script> <b>&amp;</b> 'q' \"q\"",
    "line\nline\r\nline\ttab",
    "Öl läuft aus 漏油 🛢️ \u202ert\u202c",
    "C:\\new\\table %s %(x)s {0} $x",
    "&#39; &#35;12",
    "*bold* _it_ `code` [a](javascript:alert(1))",
    "x" * 20_000,
]


def visible(text: str | None) -> str:
    """Return what a reader sees of a comment that the helpdesk keeps."""
    return (text or "").replace(WORD_JOINER, "")


async def texts_of(connector: DjangoHelpdesk, ticket_id: str) -> dict[str | None, str]:
    """Return the comments of a ticket as they are read back, by id."""
    return {comment.id: comment.text for comment in (await connector.read_ticket(ticket_id)).messages}


def titles_of(tech: httpx.Client, ticket_id: str) -> list[str]:
    """Return the titles of everything in a ticket's history, also of what says nothing."""
    return [row["title"] for row in tech.get(f"/api/tickets/{ticket_id}/").json()["followup_set"]]


async def test_a_filed_ticket_arrives_as_created_with_its_text_and_queue(
    connector: DjangoHelpdesk, receiver: Receiver, file_ticket: FileTicket
) -> None:
    number = file_ticket("Grab does not close", "It stays open *under load*.\n2 bar only", queue="HYD")
    receiver.wait_for(1)

    (event,) = webhook_events(connector, receiver)

    assert (event.kind, event.ticket_id, event.delivery_id) == (Kind.CREATED, number, f"ticket-{number}")
    assert event.ticket is not None
    assert event.ticket.subject == "Grab does not close"
    assert event.ticket.body == "It stays open *under load*.\n2 bar only"
    assert (event.ticket.group, event.ticket.closed, event.ticket.messages) == ("HYD", False, ())
    assert event.occurred_at is not None
    assert event.occurred_at == event.ticket.created_at


async def test_the_names_of_its_files_are_part_of_a_ticket(
    connector: DjangoHelpdesk, receiver: Receiver, helpdesk: HelpdeskServer, browser: httpx.Client
) -> None:
    form = {"title": "Help", "body": "See the picture", "priority": 3, "submitter_email": "customer@example.test"}
    files = {"attachment": ("screenshot_printer_error.png", b"\x89PNG", "image/png")}
    browser.post("/tickets/submit/", data={**form, "queue": helpdesk.queues["WO"]}, files=files)
    (event,) = webhook_events(connector, receiver)
    assert event.ticket is not None
    assert event.ticket.body == "See the picture\n\n[attached: screenshot_printer_error.png]"
    assert (await connector.read_ticket(event.ticket_id)).body == event.ticket.body


async def test_a_ticket_from_the_public_form_arrives_like_any_other(
    connector: DjangoHelpdesk, receiver: Receiver, helpdesk: HelpdeskServer, browser: httpx.Client
) -> None:
    form = {"title": "Wiper stuck", "body": "Left one", "priority": 3, "submitter_email": "customer@example.test"}
    answer = browser.post("/tickets/submit/", data={**form, "queue": helpdesk.queues["WO"]})
    assert answer.status_code == 302, answer.text

    (event,) = webhook_events(connector, receiver)

    assert event.kind is Kind.CREATED
    assert event.ticket is not None
    assert (event.ticket.subject, event.ticket.group, event.ticket.messages) == ("Wiper stuck", "WO", ())


async def test_what_is_read_equals_what_the_webhook_told(
    connector: DjangoHelpdesk, receiver: Receiver, file_ticket: FileTicket, tech: httpx.Client
) -> None:
    number = file_ticket(queue="ENG")
    tech.post("/api/followups/", json={"ticket": number, "comment": "Looked at it", "public": True})
    *_, (last) = webhook_events(connector, receiver)

    assert await connector.read_ticket(number) == last.ticket


async def test_a_posted_comment_is_staff_only_mails_nobody_and_renames_nothing(
    connector: DjangoHelpdesk, file_ticket: FileTicket, tech: httpx.Client
) -> None:
    number = file_ticket()
    comment_id = (await connector.post_comment(number, f"Hydraulics, likely\n\n{MARKER}")).id

    ticket = await connector.read_ticket(number)

    assert ticket.subject == "Grab does not close"
    (comment,) = ticket.messages
    assert (comment.id, comment.text) == (comment_id, f"Hydraulics, likely\n\n{MARKER}")
    assert (comment.author_id, comment.visibility) == (connector.author_id, Visibility.STAFF_ONLY)
    stored = tech.get(f"/api/followups/{comment_id}/").json()
    assert (stored["public"], stored["email_recipients"]) == (False, [])


async def test_a_comment_is_replaced_and_stays_staff_only_however_often(
    connector: DjangoHelpdesk, file_ticket: FileTicket
) -> None:
    number = file_ticket()
    comment_id = (await connector.post_comment(number, "Hydraulics, likely")).id
    for _ in range(2):
        await connector.edit_comment(number, comment_id, "Engine, a guess")

    (comment,) = (await connector.read_ticket(number)).messages
    assert (comment.id, comment.text, comment.visibility) == (comment_id, "Engine, a guess", Visibility.STAFF_ONLY)


async def test_our_own_comment_comes_back_as_a_webhook_and_says_nothing_and_an_edit_sends_none(
    connector: DjangoHelpdesk, receiver: Receiver, file_ticket: FileTicket
) -> None:
    number = file_ticket()
    receiver.wait_for(1)
    receiver.deliveries.clear()

    comment_id = (await connector.post_comment(number, "Hydraulics")).id
    assert webhook_events(connector, receiver) == []
    assert len(receiver.deliveries) == 1

    await connector.edit_comment(number, comment_id, "Engine")
    assert len(receiver.deliveries) == 1


async def test_any_text_is_kept_as_the_answer_shows_it_when_posted_and_when_edited(
    connector: DjangoHelpdesk, file_ticket: FileTicket
) -> None:
    number = file_ticket()
    posted = [await connector.post_comment(number, text) for text in NASTY]
    assert await texts_of(connector, number) == {comment.id: comment.text for comment in posted}
    assert [visible(comment.text) for comment in posted] == [visible(text) for text in NASTY]

    edited = [
        await connector.edit_comment(number, comment.id, text)
        for comment, text in zip(posted, reversed(NASTY), strict=True)
    ]
    assert await texts_of(connector, number) == {comment.id: comment.text for comment in edited}
    assert [visible(comment.text) for comment in edited] == [visible(text) for text in reversed(NASTY)]


async def test_what_the_helpdesk_would_refuse_is_taken_out(connector: DjangoHelpdesk, file_ticket: FileTicket) -> None:
    number = file_ticket()
    comment_id = (await connector.post_comment(number, " nul\0 and half \ud83d a pair \n")).id
    assert (await texts_of(connector, number))[comment_id] == "nul and half ? a pair"


async def test_naming_a_ticket_leaves_no_trace_on_it(
    connector: DjangoHelpdesk, file_ticket: FileTicket, tech: httpx.Client
) -> None:
    named, number = file_ticket("the one named"), file_ticket()
    text = f"Similar: #{named}, (#{named}) and ticket#{named}"

    comment_id = (await connector.post_comment(number, text)).id
    await connector.edit_comment(number, comment_id, f"{text}.")

    assert titles_of(tech, named) == ["Ticket Opened"]
    assert visible((await texts_of(connector, number))[comment_id]) == f"{text}."


async def test_a_ticket_named_by_somebody_else_does_get_a_trace(
    connector: DjangoHelpdesk, file_ticket: FileTicket, tech: httpx.Client
) -> None:
    """The control to the test above: without defusing, the helpdesk writes a follow-up on the ticket named."""
    named, number = file_ticket("the one named"), file_ticket()
    tech.post("/api/followups/", json={"ticket": number, "comment": f"Similar: #{named}"})
    assert titles_of(tech, named) == ["Ticket Opened", f"Referenced in ticket #{number}"]


@pytest.mark.parametrize("text", [f"Hydraulics\n\n{MARKER}", f"- a\n- b\n\n{MARKER}", f"{MARKER}\n\nHydraulics"])
async def test_the_marker_is_invisible_on_the_page_and_readable_through_the_api(
    connector: DjangoHelpdesk, browser: httpx.Client, file_ticket: FileTicket, text: str
) -> None:
    number = file_ticket()
    comment_id = (await connector.post_comment(number, text)).id

    page = browser.get(connector.ticket_url(number))

    assert page.status_code == 200
    assert "Hydraulics" in page.text or "<li>a</li>" in page.text
    assert "rolecall" not in page.text
    assert MARKER in (await texts_of(connector, number))[comment_id]


async def test_comments_and_closures_by_people_arrive_with_their_text(
    connector: DjangoHelpdesk, receiver: Receiver, file_ticket: FileTicket, tech: httpx.Client, helpdesk: HelpdeskServer
) -> None:
    number = file_ticket()
    receiver.wait_for(1)
    receiver.deliveries.clear()
    said = tech.post("/api/followups/", json={"ticket": number, "comment": "/role ok"}).json()["id"]
    fixed = tech.post(
        "/api/followups/", json={"ticket": number, "comment": "New seal", "new_status": 3, "public": True}
    ).json()["id"]

    events = webhook_events(connector, receiver)

    assert of_kinds(events) == [
        (Kind.COMMENTED, f"followup-{said}"),
        (Kind.COMMENTED, f"followup-{fixed}"),
        (Kind.CLOSED, f"followup-{fixed}"),
    ]
    reply, _, closure = events
    assert reply.message is not None
    assert (reply.message.text, reply.message.visibility) == ("/role ok", Visibility.STAFF_ONLY)
    assert reply.message.author_id == str(helpdesk.user_ids["tech"])
    assert closure.ticket is not None
    assert closure.message is not None
    assert (closure.ticket.closed, closure.message.text) == (True, "New seal")
    assert closure.message.visibility is Visibility.PUBLIC
    assert closure.ticket.closed_at == closure.occurred_at


async def test_a_duplicate_counts_as_closed_as_it_does_for_the_helpdesk(
    connector: DjangoHelpdesk, receiver: Receiver, file_ticket: FileTicket, tech: httpx.Client
) -> None:
    number = file_ticket()
    receiver.wait_for(1)
    receiver.deliveries.clear()
    tech.post("/api/followups/", json={"ticket": number, "comment": "", "new_status": 5})
    (event,) = webhook_events(connector, receiver)
    assert event.kind is Kind.CLOSED
    assert event.message is None


async def test_moving_a_ticket_to_its_role_is_shown_by_its_group(
    connector: DjangoHelpdesk, file_ticket: FileTicket, tech: httpx.Client, helpdesk: HelpdeskServer
) -> None:
    number = file_ticket(queue="WO")
    tech.patch(f"/api/tickets/{number}/", json={"queue": helpdesk.queues["CAB"]})
    assert (await connector.read_ticket(number)).group == "CAB"
