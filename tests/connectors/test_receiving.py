"""What a delivery becomes: several events of several kinds in one, as some systems collect them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from pydantic import ValidationError

from agent.config.settings import ConnectorSettings
from connectors.errors import Challenged, InvalidSignature, MalformedPayload
from connectors.events import Delivery
from connectors.manifest.catalogue import FaultyManifest, kind_of
from connectors.manifest.receiving import read_delivery
from connectors.manifest.system import System, bare
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


PROOFS = [{"by": way} for way in ("path", "basic", "standard-webhooks")] + [
    {"by": "header", "header": "x-key"},
    {"by": "hmac", "header": "x-signature"},
]
UNPROVEN = {"x-key": "", "authorization": "Basic Og==", "x-signature": "", "webhook-id": "1"}


@pytest.mark.anyio
async def test_where_webhooks_are_left_out_none_is_let_in_and_the_check_says_so() -> None:
    given = {"url": "https://desk.example.test", "key": "a-key"}
    for proof in PROOFS:
        document = BARE | {"receive": RECEIVE | {"verify": proof, "optional": True}}
        made = kind_of("bare", document)
        connector = made.connect("plant", made.settings(**given))
        now = str(int(time.time()))
        with pytest.raises(InvalidSignature):
            connector.verify(
                Delivery(UNPROVEN | {"webhook-timestamp": now, "webhook-signature": "v1,"}, b"{}", "/made")
            )
        assert "; without webhook_secrets none is let in: answers come at the pace" in await connector.check()
        assert ConnectorSettings("bare", made.settings(**given), document).hook("plant") is None
        with pytest.raises(ValidationError, match="at least one secret"):
            made.settings(**given, webhook_secrets=[])


def test_webhooks_are_left_out_only_where_the_manifest_says_so_and_something_else_tells() -> None:
    made = kind_of("bare", BARE | {"receive": RECEIVE})
    with pytest.raises(ValidationError, match="webhook_secrets"):
        made.settings(url="https://desk.example.test", key="a-key")
    with pytest.raises(ValidationError, match=r"optional needs \[poll\]"):
        kind_of("bare", BARE | {"receive": RECEIVE | {"optional": True}, "poll": None})


CHALLENGES: list[tuple[dict[str, Any], Delivery, dict[str, str], Any]] = [
    (
        {"when": 'header."x-hook-secret"', "headers": {"X-Hook-Secret": 'header."x-hook-secret"'}},
        Delivery({"x-hook-secret": "b537207f"}, b""),
        {"x-hook-secret": "b537207f"},
        None,
    ),
    (
        {"when": "body.challenge", "body": "{challenge: body.challenge}"},
        Delivery({}, b'{"challenge": "3eZbrw1a", "type": "url_verification"}'),
        {},
        {"challenge": "3eZbrw1a"},
    ),
    (
        {"when": "query.validationToken", "body": "query.validationToken"},
        Delivery({}, b"", query={"validationToken": "Validation: 1"}),
        {},
        "Validation: 1",
    ),
]


def challenging(challenge: dict[str, Any]) -> System:
    return bare("bare", kind_of("bare", BARE | {"receive": RECEIVE | {"challenge": challenge}}).manifest, {})


@pytest.mark.parametrize(("challenge", "delivery", "headers", "body"), CHALLENGES)
def test_a_challenge_is_answered_with_what_stands_in_it(
    challenge: dict[str, Any], delivery: Delivery, headers: dict[str, str], body: Any
) -> None:
    with pytest.raises(Challenged) as caught:
        read_delivery(delivery, challenging(challenge), "99")
    kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
    assert caught.value.headers == {"content-type": kind, "x-content-type-options": "nosniff", **headers}
    assert caught.value.content.decode() == (body if isinstance(body, str) else json.dumps(body))


@pytest.mark.parametrize("name", ["Content-Length", "content-type", "Set-Cookie", "Access-Control-Allow-Origin"])
def test_a_challenge_sets_no_header_that_is_the_servers_own(name: str) -> None:
    with pytest.raises(FaultyManifest) as caught:
        challenging(CHALLENGES[0][0] | {"headers": {name: "body.x"}})
    at = ("receive", "challenge", "headers")
    assert caught.value.faults == ((at, f"{name.lower()}: no system may set it in our answer"),)


@pytest.mark.parametrize(
    ("delivery", "reason"),
    [
        (Delivery({}, b""), "is not there"),
        (Delivery({"x-hook-secret": "a\r\nset-cookie: b"}, b""), "nothing that one could carry"),
        (Delivery({"x-hook-secret": "a" * 5_000}, b""), "too long"),
        (Delivery({"x-hook-secret": "é"}, b""), "nothing that one could carry"),
    ],
)
def test_what_is_no_challenge_or_none_that_can_be_answered_is_refused(delivery: Delivery, reason: str) -> None:
    with pytest.raises(MalformedPayload, match=reason):
        read_delivery(delivery, challenging(CHALLENGES[0][0]), "99")
