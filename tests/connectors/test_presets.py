"""What every shipped manifest has to hold, against its system in memory: a new one inherits these tests by its file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import httpx
import pytest

from connectors.base import Change, Field
from connectors.errors import Ambiguous, InvalidSignature, MalformedPayload, Permanent, TicketNotFound, Transient
from connectors.events import Delivery, Event, Kind, Visibility
from connectors.manifest import polling
from connectors.manifest.catalogue import Example, examples, presets
from connectors.manifest.connector import ManifestConnector
from connectors.markup import render
from connectors.proofs import Hmac, StandardWebhooks
from tests.connectors import hostile
from tests.connectors.contract import check
from tests.connectors.systems.fake import BOT, TECH, Ticket
from tests.connectors.systems.installed import (
    NEW,
    OLD,
    SYSTEMS,
    WRONG,
    Installed,
    installed,
    kind,
    listening,
    raw,
    signed,
)
from tests.desk import note

EXAMPLES = {name: tuple(examples(name)) for name in presets()}
SENDING = [name for name in EXAMPLES if EXAMPLES[name]]
VARIANTS = 60
"""Of each system: an example body with one thing wrong."""
MARK = "rolecall-" + "a1" * 10


def said(connector: ManifestConnector, words: str) -> str:
    """Return a comment of ours as it is rendered for this system."""
    return render(note(words), connector.capabilities.markup, f"{MARK}-{'b2' * 8}")


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> Installed:
    return installed(request.param)


def delivery(name: str, example: Example, secret: str = NEW) -> Delivery:
    return signed(name, raw(example.body), secret, example.headers, example.segment)


def parsed(name: str, given: Delivery) -> list[Event]:
    return list(listening(name, NEW).parse(given))


def test_every_shipped_manifest_has_examples_and_is_tried_against_a_system_or_says_that_it_is_not() -> None:
    assert [name for name in SYSTEMS if name not in EXAMPLES] == []
    untried = {name for name in EXAMPLES if kind(name).manifest.tried == "on paper only"}
    assert untried == EXAMPLES.keys() - SYSTEMS.keys()
    assert [name for name in EXAMPLES if kind(name).manifest.receive and not EXAMPLES[name]] == []
    assert [name for name in EXAMPLES if EXAMPLES[name] and not kind(name).manifest.receive] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_manifest_says_what_to_click_and_how_staff_hide_a_note(name: str) -> None:
    manifest = kind(name).manifest
    assert len(manifest.setup.splitlines()) >= 4
    assert ("{hook}" in manifest.setup) is (manifest.receive is not None)
    assert manifest.post.private or "everybody" in manifest.setup or "no notes that only staff see" in manifest.setup


@pytest.mark.parametrize("name", SENDING)
def test_examples_become_the_events_that_they_name(name: str) -> None:
    kinds = set[str]()
    for example in EXAMPLES[name]:
        events = parsed(name, delivery(name, example))
        told = [(event.kind.value, event.ticket_id, event.delivery_id) for event in events]
        expected = [(k, t, i.replace("HASH", told[0][2].rpartition("-")[2])) for k, t, i in example.events]
        assert told == expected, example.name
        assert events == parsed(name, delivery(name, example)), "a repeated delivery says the same"
        kinds |= {event.kind.value for event in events}
        for event in events:
            check(event)
    assert kinds >= {"created", "closed"}


@pytest.mark.parametrize("name", SENDING)
def test_only_a_right_secret_gets_in_and_both_do_while_one_is_rotated(name: str) -> None:
    example = EXAMPLES[name][0]
    during, after = listening(name, NEW, OLD), listening(name, NEW)
    for secret in (NEW, OLD):
        during.verify(delivery(name, example, secret))
    after.verify(delivery(name, example))
    genuine = delivery(name, example)
    for forged in (delivery(name, example, OLD), delivery(name, example, WRONG), replace(genuine, headers={})):
        with pytest.raises(InvalidSignature):
            after.verify(replace(forged, segment=example.segment))


@pytest.mark.parametrize("name", SENDING)
def test_a_signed_body_cannot_be_changed_nor_an_old_delivery_sent_again(name: str) -> None:
    receive = kind(name).manifest.receive
    assert receive is not None
    proof, example, connector = receive.verify[0], EXAMPLES[name][0], listening(name, NEW)
    if not isinstance(proof, Hmac | StandardWebhooks):
        pytest.skip("the system signs nothing")
    genuine = delivery(name, example)
    with pytest.raises(InvalidSignature):
        connector.verify(replace(genuine, body=genuine.body + b" "))
    stale = signed(name, raw(example.body), NEW, example.headers, example.segment, at=time.time() - 3_600)
    if proof.tolerance is None:
        connector.verify(stale)  # nothing signs the time: that it is known already is seen by its id
    else:
        with pytest.raises(InvalidSignature):
            connector.verify(stale)


@pytest.mark.parametrize("name", SENDING)
def test_what_is_not_the_systems_is_refused_in_one_line(name: str) -> None:
    example = EXAMPLES[name][0]
    bodies = [*hostile.NEVER_VALID.values(), *islice(hostile.never_valid_variants(raw(example.body)), 8)]
    for body in bodies:
        with pytest.raises(MalformedPayload) as caught:
            parsed(name, Delivery(example.headers, body, example.segment))
        assert str(caught.value).isprintable()
        assert 0 < len(str(caught.value)) < 300


def variants(name: str) -> Iterator[tuple[Example, bytes]]:
    every = [(example, path, wrong) for example in EXAMPLES[name] for path, wrong in hostile.places(example.body)]
    for example, path, wrong in every[:: max(len(every) // VARIANTS, 1)]:
        yield example, hostile.variant(example.body, path, wrong)


@pytest.mark.parametrize("name", SENDING)
def test_an_example_with_one_thing_wrong_is_refused_or_yields_clean_events(name: str) -> None:
    for example, body in variants(name):
        try:
            events = parsed(name, Delivery(example.headers, body, example.segment))
        except MalformedPayload:
            continue
        for event in events:
            check(event)


@pytest.mark.anyio
async def test_the_check_says_whom_it_is_and_on_what_the_manifest_was_tried(system: Installed) -> None:
    connector = system.connect(author_id=None)
    said = await connector.check()
    assert kind(system.name).manifest.name in said
    assert kind(system.name).manifest.tried in said
    assert (connector.author_id == str(BOT)) is system.fake.knows_who_we_are


@pytest.mark.anyio
async def test_a_ticket_is_read_with_all_its_pages_of_comments(system: Installed) -> None:
    ticket = system.fake.file("Pump 7 leaks", "Oil under the pump")
    for number in range(5):
        system.fake.say(ticket, f"word {number}", internal=number % 2 == 0)
    connector = system.connect()
    read = await connector.read_ticket(system.fake.name(ticket.id))
    assert (read.id, read.subject, read.body, read.closed) == (
        system.fake.name(ticket.id),
        "Pump 7 leaks",
        "Oil under the pump",
        False,
    )
    assert [message.text for message in read.messages] == [f"word {number}" for number in range(5)]
    assert {message.author_id for message in read.messages} == {str(TECH)}
    tells_names = connector.system.manifest.comment.author_name is not None
    assert {bool(message.author_name) for message in read.messages} == {tells_names}
    assert (read.created_at, read.closed_at) == (ticket.created, None)
    assert read.url is not None
    assert system.fake.name(ticket.id) in read.url
    if kind(system.name).manifest.post.private:
        assert {m.visibility for m in read.messages} <= {Visibility.STAFF_ONLY, Visibility.PUBLIC}
        assert read.messages[0].visibility is Visibility.STAFF_ONLY
    system.fake.close(ticket)
    assert (await system.connect().read_ticket(system.fake.name(ticket.id))).closed


@pytest.mark.anyio
async def test_a_comment_is_posted_once_hidden_and_found_by_a_fresh_process(system: Installed) -> None:
    ticket, first = system.fake.file("Pump 7 leaks"), system.connect(author_id=None)
    stored = await first.post_comment(system.fake.name(ticket.id), said(first, "Role: <b>Hydraulics</b> & *more*"))
    (comment,) = ticket.comments
    assert (stored.id, comment.author) == (system.fake.note_name(comment.id), BOT)
    assert comment.internal is kind(system.name).manifest.post.private
    assert first.author_id == str(BOT) or stored.author_id == str(BOT)
    fresh = await system.connect().read_ticket(system.fake.name(ticket.id))
    (found,) = [message for message in fresh.messages if MARK in message.text]
    assert (found.id, found.author_id) == (stored.id, str(BOT))
    assert stored.text in (None, found.text)


@pytest.mark.anyio
async def test_a_comment_is_edited_or_the_connector_says_that_it_cannot_be(system: Installed) -> None:
    ticket, connector = system.fake.file("Pump 7 leaks"), system.connect()
    stored = await connector.post_comment(system.fake.name(ticket.id), said(connector, "Role: Hydraulics"))
    if connector.capabilities.edits_comments:
        await connector.edit_comment(system.fake.name(ticket.id), stored.id, said(connector, "Role: Engine"))
        assert ["Engine" in comment.text for comment in ticket.comments] == [True]
    else:
        with pytest.raises(Permanent):
            await connector.edit_comment(system.fake.name(ticket.id), stored.id, said(connector, "Role: Engine"))


@pytest.mark.anyio
async def test_a_comment_is_removed_and_twice_is_no_error_or_the_connector_says_that_it_cannot_be(
    system: Installed,
) -> None:
    ticket, connector = system.fake.file("Pump 7 leaks"), system.connect()
    theirs = system.fake.say(ticket, "/role engine")
    stored = await connector.post_comment(system.fake.name(ticket.id), said(connector, "Role: Hydraulics"))
    if connector.capabilities.removes_comments:
        for _ in range(2):
            await connector.remove_comment(system.fake.name(ticket.id), stored.id)
        assert ticket.comments == [theirs]
    else:
        with pytest.raises(Permanent):
            await connector.remove_comment(system.fake.name(ticket.id), stored.id)


VALUES = {
    Field.TAG: "role-hydraulics",
    Field.SUBJECT: 'Pump 7 leaks "oil" {text} ✓',
    Field.DESCRIPTION: 'Oil under the pump\n\n*since* "Monday" {text} <b>✓</b>',
}


@pytest.mark.anyio
async def test_a_ticket_is_changed_once_and_shows_it_or_the_connector_says_that_it_cannot(system: Installed) -> None:
    ticket, connector = system.fake.file("Pump 7 leaks"), system.connect()
    number, before = system.fake.name(ticket.id), (await connector.read_ticket(system.fake.name(ticket.id))).tags
    assert (connector.capabilities.described_in is not None) is (Field.DESCRIPTION in connector.capabilities.changes)
    for field in Field:
        value, held = VALUES.get(field, system.fake.groups[1]), None if field is Field.TAG else "anything"
        if field not in connector.capabilities.changes:
            with pytest.raises(Permanent):
                await connector.change_ticket(number, Change(field, value, held))
            continue
        for _ in range(2):
            await connector.change_ticket(number, Change(field, value, held))
        read = await system.connect().read_ticket(number)
        shown = {Field.GROUP: read.group, Field.SUBJECT: read.subject, Field.TAG: (read.tags or [""])[-1]}
        assert (shown | {Field.DESCRIPTION: read.body})[field] == value
        if field is Field.TAG:
            assert read.tags == (*(before or ()), value)
        with pytest.raises(TicketNotFound):
            await connector.change_ticket(system.fake.name(4711), Change(field, value, held))
        system.fake.lose_answers = 1
        with pytest.raises(Ambiguous):
            await connector.change_ticket(number, Change(field, value, held))
    assert [comment.text for comment in ticket.comments] == []


@pytest.mark.anyio
async def test_a_group_that_is_not_there_is_refused_and_changes_nothing(system: Installed) -> None:
    ticket, connector = system.fake.file("Pump 7 leaks"), system.connect()
    if Field.GROUP not in connector.capabilities.changes or system.name in (
        "azure-devops",
        "bugzilla",
        "jira",
        "servicenow",
        "zammad",
        "znuny",
    ):
        pytest.skip("the system itself is asked")
    with pytest.raises(Permanent, match="group"):
        await connector.change_ticket(system.fake.name(ticket.id), Change(Field.GROUP, "Nowhere", None))
    assert ticket.group == system.fake.groups[0]


@pytest.mark.anyio
async def test_moves_are_told_with_time_and_author_or_the_connector_says_that_it_cannot(system: Installed) -> None:
    ticket, connector = system.fake.file("Pump 7 leaks"), system.connect()
    number, (first, second) = system.fake.name(ticket.id), system.fake.groups
    if not connector.capabilities.tells_moves:
        with pytest.raises(Permanent):
            await connector.read_moves(number)
        return
    assert list(await connector.read_moves(number)) == []
    system.fake.say(ticket, "a word in between")
    system.fake.put(ticket, group=second)
    system.fake.put(ticket, group=first, by=TECH)
    assert [(m.before, m.after, m.author_id) for m in await connector.read_moves(number)] == [
        (first, second, str(BOT)),
        (second, first, str(TECH)),
    ]
    assert [move.at for move in await connector.read_moves(number)] == [at for at, *_ in ticket.moves]


@pytest.mark.anyio
async def test_a_write_whose_answer_is_lost_is_ambiguous_and_what_it_wrote_is_found(system: Installed) -> None:
    ticket, connector = system.fake.file("Pump 7 leaks"), system.connect()
    system.fake.lose_answers = 1
    with pytest.raises(Ambiguous):
        await connector.post_comment(system.fake.name(ticket.id), said(connector, "Role: Hydraulics"))
    read = await system.connect().read_ticket(system.fake.name(ticket.id))
    assert [MARK in message.text for message in read.messages] == [True]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "error", "wait"),
    [
        (httpx.Response(429, headers={"retry-after": "7"}), Transient, 7.0),
        (httpx.Response(403, headers={"retry-after": "60"}), Transient, 60.0),
        (httpx.Response(503, headers={"retry-after": "5"}), Transient, 5.0),
        (httpx.Response(502), Transient, None),
        (httpx.Response(403), Permanent, None),
        (httpx.Response(302, headers={"location": "https://elsewhere.example.test/"}), Permanent, None),
        (httpx.Response(200, text="<html>maintenance</html>"), Permanent, None),
        (httpx.Response(200, text="[]"), Permanent, None),
    ],
)
async def test_what_an_answer_means(
    system: Installed, answer: httpx.Response, error: type[Exception], wait: float | None
) -> None:
    ticket, connector = system.fake.file("Pump 7 leaks"), system.connect()
    await connector.read_ticket(system.fake.name(ticket.id))
    system.fake.failures = [answer]
    with pytest.raises(error) as caught:
        await connector.read_ticket(system.fake.name(ticket.id))
    if isinstance(caught.value, Transient):
        assert caught.value.retry_after == wait
        assert not isinstance(caught.value, Ambiguous), "reading changes nothing, by whatever method"
    assert "\n" not in str(caught.value)


@pytest.mark.anyio
async def test_a_ticket_that_is_gone_is_not_found_for_reading_and_for_writing(system: Installed) -> None:
    connector, gone = system.connect(), system.fake.name(4711)
    for call in (connector.read_ticket(gone), connector.post_comment(gone, said(connector, "Role: Engine"))):
        with pytest.raises(TicketNotFound):
            await call


@pytest.mark.anyio
@pytest.mark.parametrize("number", ["../users", "", "7/../8", "x" * 500, "..", "7?x=1", "\ud800"])
async def test_an_id_of_another_kind_asks_for_nothing(system: Installed, number: str) -> None:
    with pytest.raises(Permanent):
        await system.connect().read_ticket(number)
    assert system.fake.requests == []


async def notice(system: Installed, ticket: Ticket, watermark: str) -> None:
    """Change a ticket that was commented, where only this brings the comment into the list of changes."""
    if not system.fake.comments_move:
        assert list((await system.connect().poll(watermark)).events) == [], "a comment does count as a change"
        system.fake.put(ticket)


@pytest.mark.anyio
async def test_a_poll_finds_what_happened_once_and_none_of_what_we_did(system: Installed) -> None:
    fake, connector = system.fake, system.connect()
    began = await connector.poll(None)
    assert (list(began.events), began.complete) == ([], True)
    tickets = [fake.file(f"Pump {number} leaks") for number in range(5)]
    words = [fake.say(ticket, "/role hydraulics") for ticket in tickets]
    await connector.post_comment(system.fake.name(tickets[0].id), said(connector, "Role: Engine"))
    fake.close(tickets[4])
    found = await connector.poll(began.watermark)
    told = [(event.kind, event.ticket_id) for event in found.events]
    assert sorted(told) == sorted(
        [
            *((Kind.CREATED, system.fake.name(ticket.id)) for ticket in tickets),
            *((Kind.COMMENTED, system.fake.name(ticket.id)) for ticket in tickets),
            (Kind.CLOSED, system.fake.name(tickets[4].id)),
        ]
    )
    told_of = {e.message.id for e in found.events if e.message is not None}
    assert told_of == {system.fake.note_name(comment.id) for comment in words}
    assert {ticket.id for ticket in found.tickets} == {system.fake.name(ticket.id) for ticket in tickets}
    for event in found.events:
        check(event)
    assert list((await connector.poll(found.watermark)).events) == []
    fake.say(tickets[1], "another word")
    await notice(system, tickets[1], found.watermark)
    later = await system.connect().poll(found.watermark)
    assert "another word" in {event.message.text for event in later.events if event.message}


@pytest.mark.anyio
async def test_a_poll_and_a_webhook_name_the_same_event_alike(system: Installed) -> None:
    connector = system.connect()
    began = await connector.poll(None)
    ticket = system.fake.file("Pump 7 leaks")
    comment = system.fake.say(ticket, "/role engine")
    number = system.fake.name(ticket.id)
    names = {event.kind: event.delivery_id for event in (await connector.poll(began.watermark)).events}
    assert names[Kind.CREATED] == f"ticket-{number}"
    assert names[Kind.COMMENTED] == f"ticket-{number}-comment-{system.fake.note_name(comment.id)}"


@pytest.mark.anyio
async def test_history_is_no_event(system: Installed) -> None:
    system.fake.clock = datetime.now(UTC).replace(microsecond=0) - timedelta(days=9)
    ticket = system.fake.file("Long ago")
    system.fake.say(ticket, "/role engine")
    system.fake.clock = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    connector = system.connect()
    began = await connector.poll(None)
    system.fake.say(ticket, "a word of today")
    await notice(system, ticket, began.watermark)
    found = await connector.poll(began.watermark)
    assert [(event.kind, event.message and event.message.text) for event in found.events] == [
        (Kind.COMMENTED, "a word of today")
    ]


@pytest.mark.anyio
async def test_a_second_change_within_the_second_of_the_first_is_found(
    system: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of the change says no more than before: only another look at the ticket does."""
    monkeypatch.setattr(polling, "SETTLED", timedelta(0))
    connector = system.connect()
    began = await connector.poll(None)
    ticket = system.fake.file("Pump 7 leaks")
    first = await connector.poll(began.watermark)
    system.fake.clock -= timedelta(seconds=1)  # each change is a second after the last
    system.fake.close(ticket)
    found = await connector.poll(first.watermark)
    assert [event.kind for event in found.events if event.delivery_id != f"ticket-{system.fake.name(ticket.id)}"] == [
        Kind.CLOSED
    ]
    asked = len(system.fake.requests)
    assert list((await connector.poll(found.watermark)).events) == []
    looking = kind(system.name).manifest.poll
    alone = looking is not None and looking.each is not None
    assert len(system.fake.requests) - asked <= 2 + alone, "a quiet ticket is read no third time, but by its list"
