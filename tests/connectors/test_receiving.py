"""What a delivery becomes: several events of several kinds in one, as some systems collect them."""

from __future__ import annotations

import json
from typing import Any

from connectors.events import Delivery
from connectors.manifest.catalogue import kind_of
from connectors.manifest.receiving import read_delivery
from connectors.manifest.system import bare
from tests.connectors.test_requests import BARE

EVENT = "body.events"
RECEIVE: dict[str, Any] = {
    "verify": {"by": "path"},
    "has": EVENT,
    "event": [
        {"when": "body.events == null", "kind": "edited", "ticket": "body.id"},
        {"each": EVENT, "when": "item.what == 'made'", "kind": "created", "ticket": "item.id"},
        {"each": EVENT, "when": "item.what == 'done'", "kind": "closed", "ticket": "item.id", "at": "item.at"},
        {"each": EVENT, "when": "item.what != 'seen'", "kind": "edited", "ticket": "item.id", "actor": "item.by"},
        {"each": "body.others", "when": "item", "kind": "moved", "ticket": "item.id"},
        {"when": "body", "kind": "reopened", "ticket": "body.id"},
    ],
}


def told(*events: dict[str, Any], **more: Any) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    made = kind_of("bare", BARE | {"receive": RECEIVE})
    body = json.dumps({"events": list(events), **more}).encode()
    reading = read_delivery(Delivery({}, body, "secret"), bare("bare", made.manifest, {}), "99")
    return [(event.kind.value, event.ticket_id) for event in reading.events], reading.why


def test_each_element_of_a_list_is_told_by_the_first_rule_that_fits_it() -> None:
    done = {"what": "done", "id": 7, "at": "2026-11-02T07:14:03Z"}
    found, why = told(done, {"what": "made", "id": 8}, {"what": "seen", "id": 9}, {"what": "renamed", "id": 10})
    assert found == [("created", "8"), ("closed", "7"), ("edited", "10")]
    assert [reason.partition(":")[0] for reason in why] == [
        f"rule {number} ({kind})" for number, kind in enumerate(("edited", "created", "closed", "edited"), 1)
    ], "rules about another list, or about the delivery, are not asked any more"


def test_elements_of_our_own_are_decided_and_no_other_rule_is_asked() -> None:
    found, why = told({"what": "renamed", "id": 10, "by": "99"}, others=[{"id": 3}], id=4)
    assert (found, len(why)) == ([], 4)


def test_where_no_element_fits_the_next_rules_are_asked() -> None:
    assert told({"what": "seen", "id": 9}, others=[{"id": 3}], id=4)[0] == [("moved", "3")]
    assert told({"what": "seen", "id": 9}, id=4)[0] == [("reopened", "4")]
