"""What an earlier release kept is read as it was meant: its queue and its dead letters survive an upgrade."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.store.inbox import EVENT
from connectors.events import Event, Kind, Message, Ticket, Visibility

AT = datetime(2026, 11, 22, 2, 25, 16, tzinfo=UTC)

OF_0_1 = """
{"kind":"commented","ticket_id":"1","delivery_id":"followup-3","occurred_at":"2026-11-22T02:25:16Z",
"comment":{"id":"3","author_id":"7","text":"/role ok","created_at":"2026-11-22T02:25:16Z","internal":true},
"ticket":{"id":"1","subject":"Boom drops","body":"Oil","group":"WO","closed":true,"created_at":"2026-11-22T02:25:16Z",
"closed_at":"2026-11-22T02:25:16Z","url":"https://desk.example/tickets/1/","comments":[
{"id":"3","author_id":"7","text":"/role ok","created_at":"2026-11-22T02:25:16Z","internal":true},
{"id":"4","author_id":null,"text":"Thanks","created_at":"2026-11-22T02:25:16Z","internal":false},
{"id":null,"author_id":null,"text":"?","created_at":null,"internal":null}]}}
"""
BARE_OF_0_1 = """
{"kind":"closed","ticket_id":"1","delivery_id":"ticket-1-closed","occurred_at":null,"comment":null,"ticket":null}
"""

COMMAND = Message("3", "7", "/role ok", AT, visibility=Visibility.STAFF_ONLY)
SAID = (
    COMMAND,
    Message("4", None, "Thanks", AT, visibility=Visibility.PUBLIC),
    Message(None, None, "?", visibility=Visibility.UNKNOWN),
)
TICKET = Ticket("1", "Boom drops", "Oil", "WO", True, AT, AT, "https://desk.example/tickets/1/", SAID)
EVENTS = (
    Event(Kind.COMMENTED, "1", "followup-3", AT, COMMAND, TICKET),
    Event(Kind.CLOSED, "1", "ticket-1-closed"),
)


@pytest.mark.parametrize(("stored", "event"), [(OF_0_1, EVENTS[0]), (BARE_OF_0_1, EVENTS[1])], ids=("whole", "bare"))
def test_an_event_of_release_0_1_is_read(stored: str, event: Event) -> None:
    assert EVENT.validate_json(stored) == event


@pytest.mark.parametrize("event", EVENTS, ids=("whole", "bare"))
def test_an_event_of_today_is_read(event: Event) -> None:
    assert EVENT.validate_json(EVENT.dump_json(event)) == event
