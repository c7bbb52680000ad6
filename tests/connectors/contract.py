"""What every connector has to hold, whatever the system: a new one inherits these tests by being listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import Connector
from connectors.errors import InvalidSignature, MalformedPayload
from connectors.events import Delivery, Event, Kind, Message, Ticket
from connectors.registry import CONNECTORS
from tests.connectors import hostile

PAYLOADS = Path(__file__).parents[1] / "payloads"

NAME = "plant-2"
OLD, NEW, WRONG = "the-old-secret-of-tests", "the-new-secret-of-tests", "a-wrong-secret-of-tests"

fuzz = settings(max_examples=150, suppress_health_check=[HealthCheck.differing_executors])


class ConnectorContract:
    """Inherit as `class TestX(ConnectorContract)` and fill in the three things that differ between systems."""

    kind: ClassVar[str]
    recorded: ClassVar[dict[str, Sequence[tuple[Kind, str]]]]
    """Recorded payload (the part of its file name behind the kind) -> kind and delivery id of its events."""

    @classmethod
    def connector(cls, *secrets: str) -> Connector:
        """Return a connector called NAME that accepts these secrets."""
        raise NotImplementedError

    @classmethod
    @cache
    def made(cls, *secrets: str) -> Connector:
        """Return the connector that accepts these secrets, made once: it costs a TLS context."""
        return cls.connector(*secrets)

    def signed(self, body: bytes, secret: str) -> Delivery:
        """Return the delivery as the system would send it with this secret."""
        raise NotImplementedError

    def body(self, name: str) -> bytes:
        return (PAYLOADS / f"{self.kind}_{name}.json").read_bytes()

    def test_it_is_of_its_kind_and_goes_by_the_name_it_was_given(self) -> None:
        connector = self.made(NEW)
        assert (connector.kind, connector.source) == (self.kind, NAME)
        assert type(connector) is CONNECTORS[self.kind].connect

    def test_either_secret_is_accepted_while_rotating_and_the_old_one_no_longer_afterwards(self) -> None:
        body = self.body(next(iter(self.recorded)))
        during, after = self.made(NEW, OLD), self.made(NEW)
        during.verify(self.signed(body, OLD))
        during.verify(self.signed(body, NEW))
        after.verify(self.signed(body, NEW))
        with pytest.raises(InvalidSignature):
            after.verify(self.signed(body, OLD))

    def test_a_wrong_or_missing_proof_is_refused(self) -> None:
        body = self.body(next(iter(self.recorded)))
        connector = self.made(NEW, OLD)
        genuine = self.signed(body, NEW)
        for forged in (self.signed(body, WRONG), self.signed(body, ""), replace(genuine, headers={}, segment="")):
            with pytest.raises(InvalidSignature):
                connector.verify(forged)

    @fuzz
    @given(
        body=st.binary(max_size=300),
        secret=st.text(st.characters(exclude_categories=()), max_size=40),
        headers=st.dictionaries(st.text(max_size=20), st.text(st.characters(exclude_categories=()), max_size=60)),
    )
    def test_no_forgery_gets_in_and_none_raises_anything_else(
        self, body: bytes, secret: str, headers: dict[str, str]
    ) -> None:
        delivery = self.signed(body, WRONG)
        forged = Delivery({name: headers.get(name, "") for name in delivery.headers} | headers, body, secret)
        with pytest.raises(InvalidSignature):
            self.made(NEW, OLD).verify(forged)

    def test_recorded_deliveries_say_what_happened(self) -> None:
        connector = self.made(NEW)
        for name, expected in self.recorded.items():
            events = connector.parse(self.signed(self.body(name), NEW))
            assert [(event.kind, event.delivery_id) for event in events] == list(expected), name
            for event in events:
                check(event)

    def test_a_repeated_delivery_says_the_same(self) -> None:
        for name in self.recorded:
            first, second = (self.made(NEW).parse(self.signed(self.body(name), NEW)) for _ in range(2))
            assert list(first) == list(second)

    def test_our_own_comments_say_nothing(self) -> None:
        assert list(self.made(NEW).parse(self.signed(self.body("own_comment"), NEW))) == []

    @pytest.mark.parametrize("name", hostile.NEVER_VALID)
    def test_a_body_that_is_not_the_systems_is_refused_in_one_line(self, name: str) -> None:
        with pytest.raises(MalformedPayload) as caught:
            self.made(NEW).parse(self.signed(hostile.NEVER_VALID[name], NEW))
        message = str(caught.value)
        assert message
        assert message.isprintable()
        assert len(message) < 300

    def test_what_parsers_disagree_on_is_refused(self) -> None:
        connector = self.made(NEW)
        for name in self.recorded:
            for body in hostile.never_valid_variants(self.body(name)):
                with pytest.raises(MalformedPayload):
                    connector.parse(self.signed(body, NEW))

    def test_a_recorded_body_with_one_thing_wrong_is_refused_or_yields_clean_events(self) -> None:
        connector = self.made(NEW)
        refusals = []
        for name in self.recorded:
            for body in hostile.variants(self.body(name)):
                try:
                    events = connector.parse(self.signed(body, NEW))
                except MalformedPayload as error:
                    refusals.append(str(error))
                else:
                    for event in events:
                        check(event)
        assert refusals
        assert all(reason.isprintable() for reason in refusals)

    @fuzz
    @given(body=st.binary(max_size=500) | st.text(alphabet='{}[]":,0123456789.eE-tickeduqs_lgfow \\u\0', max_size=300))
    def test_noise_is_malformed_and_nothing_else(self, body: bytes | str) -> None:
        raw = body if isinstance(body, bytes) else body.encode()
        with pytest.raises(MalformedPayload) as caught:
            self.made(NEW).parse(self.signed(raw, NEW))
        assert str(caught.value).isprintable()


def check(event: Event) -> None:
    """Fail unless the event can be stored anywhere: identifiers named, text encodable, times in UTC."""
    assert event.ticket_id
    assert event.delivery_id
    assert (event.message is not None) or event.kind is not Kind.COMMENTED
    times = [event.occurred_at]
    texts = [event.ticket_id, event.delivery_id]
    if event.message:
        _add(event.message, texts, times)
    if event.ticket:
        assert event.ticket.id == event.ticket_id
        _add_ticket(event.ticket, texts, times)
    for text in texts:
        assert "\0" not in text
        text.encode("utf-8")
    for time in times:
        assert time is None or time.utcoffset().total_seconds() == 0  # type: ignore[union-attr]


def _add_ticket(ticket: Ticket, texts: list[str], times: list) -> None:  # type: ignore[type-arg]
    texts += [ticket.subject, ticket.body, ticket.group or "", ticket.url or ""]
    times += [ticket.created_at, ticket.closed_at]
    for message in ticket.messages:
        _add(message, texts, times)


def _add(message: Message, texts: list[str], times: list) -> None:  # type: ignore[type-arg]
    texts += [message.text, message.id or "", message.author_id or ""]
    times.append(message.created_at)
