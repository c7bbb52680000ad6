"""Names of queues are learnt from the webhooks that are kept."""

from __future__ import annotations

import json
from pathlib import Path

from agent.core import Parts
from agent.first_day.heard import queue_names
from agent.store.arrivals import Arrival, keep
from agent.store.tables import utcnow
from connectors.events import Event, Kind

PAYLOADS = Path(__file__).parents[2] / "payloads"


def test_the_newest_webhook_of_this_connector_names_a_queue_and_what_is_none_names_nothing(parts: Parts) -> None:
    body = json.loads((PAYLOADS / "django-helpdesk_comment.json").read_text())
    told = [
        ("helpdesk", body | {"queue_slug": "OLD"}),
        ("helpdesk", body | {"queue_slug": "HYD"}),
        ("helpdesk", {"ticket": {"queue": 7}, "queue_slug": "x"}),
        ("elsewhere", body | {"ticket": body["ticket"] | {"queue": 9}, "queue_slug": "other"}),
    ]
    for number, (source, raw) in enumerate(told):
        event = Event(Kind.CREATED, str(number + 1), f"ticket-{number}")
        keep(parts.database, [Arrival(source, event, json.dumps(raw).encode(), utcnow())])
    polled = Event(Kind.CREATED, "99", "ticket-99")
    keep(parts.database, [Arrival("helpdesk", polled, b"", utcnow())])
    assert parts.database.call(queue_names, "helpdesk") == {str(body["ticket"]["queue"]): "HYD"}
    assert parts.database.call(queue_names, "nobody") == {}
