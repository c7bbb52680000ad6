"""A second look at a ticket shows what was edited, deleted, moved, closed or merged without a word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.events import Event, Kind, Message, Ticket, Visibility
from connectors.sights import changes, sight

OURS = "bot"
NOTE = Message("1", "kim", "/role Engine", visibility=Visibility.STAFF_ONLY)
OWN = Message("2", OURS, "**Role: Engine**", visibility=Visibility.STAFF_ONLY)
TICKET = Ticket("7", "Leak", "Oil", group="ENG", messages=(NOTE, OWN))


def with_note(ticket: Ticket, **change: Any) -> Ticket:
    return replace(ticket, messages=(replace(NOTE, **change), OWN))


def told(events: list[Event]) -> list[tuple[str, str, str | None]]:
    return [(event.kind, event.ticket_id, event.message.text if event.message else None) for event in events]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda t: replace(t, subject="Spark"), [(Kind.EDITED, "7", None)]),
        (lambda t: replace(t, body="Water"), [(Kind.EDITED, "7", None)]),
        (lambda t: with_note(t, text="/role Pump"), [(Kind.EDITED, "7", "/role Pump")]),
        (lambda t: with_note(t, visibility=Visibility.PUBLIC), [(Kind.EDITED, "7", "/role Engine")]),
        (lambda t: replace(t, messages=(OWN,)), [(Kind.EDITED, "7", "")]),
        (lambda t: replace(t, group="ELE"), [(Kind.MOVED, "7", None)]),
        (lambda t: replace(t, closed=True), [(Kind.CLOSED, "7", None)]),
        (
            lambda t: replace(t, closed=True, merged_into="3", messages=()),
            [(Kind.MERGED, "3", None), (Kind.CLOSED, "7", None)],
        ),
        (lambda t: t, []),
        (lambda t: replace(t, group=None), []),
        (lambda t: replace(t, messages=(NOTE, replace(OWN, text="changed"))), []),
        (lambda t: replace(t, messages=(*t.messages, Message("3", "kim", "/role Pump"))), []),
    ],
)
def test_each_change_is_one_event(change: Callable[[Ticket], Ticket], expected: list[Any]) -> None:
    now, events = changes(sight(TICKET, OURS), change(TICKET), OURS)
    assert told(events) == expected
    assert changes(now, change(TICKET), OURS) == (now, [])


def test_a_ticket_that_is_open_again_was_reopened() -> None:
    closed = replace(TICKET, closed=True)
    assert told(changes(sight(closed, OURS), TICKET, OURS)[1]) == [(Kind.REOPENED, "7", None)]


def test_there_and_back_and_there_again_are_three_happenings() -> None:
    seen, names = sight(TICKET, OURS), []
    for text in ("/role Pump", "/role Engine", "/role Pump"):
        seen, events = changes(seen, with_note(TICKET, text=text), OURS)
        names += [event.delivery_id for event in events]
    assert len(set(names)) == 3


def test_a_group_that_a_look_does_not_show_is_not_forgotten() -> None:
    seen, _ = changes(sight(TICKET, OURS), replace(TICKET, group=None), OURS)
    assert told(changes(seen, replace(TICKET, group="ELE"), OURS)[1]) == [(Kind.MOVED, "7", None)]
