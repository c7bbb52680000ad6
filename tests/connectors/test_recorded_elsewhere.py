"""Deliveries that nobody here wrote, or that real servers sent: they become the events that this table states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import InvalidSignature
from connectors.events import Delivery, Event, Kind
from connectors.manifest.catalogue import document_of, kind_of
from connectors.manifest.receiving import read_delivery
from connectors.manifest.system import bare
from tests.connectors.contract import check
from tests.connectors.systems.installed import listening

SHARED = Path(__file__).parents[2] / "../shared"
PAYLOADS, CONTRACTS = SHARED / "payloads", SHARED / "contracts"

pytestmark = pytest.mark.skipif(not PAYLOADS.exists(), reason="the shared collection of payloads is not beside this")

NORDHAFEN = {"owner": "nordhafen", "repository": "field-ops"}
TABLE: dict[str, tuple[str, str, dict[str, str], list[tuple[Kind, str]]]] = {
    "github_created": ("github", "", {"x-github-event": "issues"}, [(Kind.CREATED, "42")]),
    "github_comment": ("github", "", {"x-github-event": "issue_comment"}, [(Kind.COMMENTED, "42")]),
    "github_closed": ("github", "", {"x-github-event": "issues"}, [(Kind.CLOSED, "42")]),
    "jira_created": ("jira", "", {}, [(Kind.CREATED, "OPS-4711")]),
    "jira_comment": ("jira", "", {}, [(Kind.COMMENTED, "OPS-4711")]),
    "jira_closed": ("jira", "", {}, [(Kind.CLOSED, "OPS-4711")]),
    "maintainx_created": ("maintainx", "created", {}, [(Kind.CREATED, "4711001")]),
    "maintainx_comment": ("maintainx", "commented", {}, []),
    "maintainx_closed": ("maintainx", "status", {}, [(Kind.CLOSED, "4711001")]),
    "zammad_created": ("zammad", "created", {}, [(Kind.CREATED, "4711")]),
    "zammad_comment": ("zammad", "commented", {}, [(Kind.COMMENTED, "4711")]),
    "zammad_closed": ("zammad", "closed", {}, [(Kind.CLOSED, "4711")]),
    "zammad_closed_no_article": ("zammad", "closed", {}, [(Kind.CLOSED, "4711")]),
    "zendesk_created": ("zendesk", "", {}, [(Kind.CREATED, "4711")]),
    "zendesk_comment": ("zendesk", "", {}, [(Kind.COMMENTED, "4711")]),
    "zendesk_closed": ("zendesk", "", {}, [(Kind.CLOSED, "4711")]),
}
CAPTURED = {
    "hook_001": [(Kind.CREATED, "1")],
    "hook_002": [(Kind.COMMENTED, "1")],
    "hook_003": [(Kind.EDITED, "1")],
    "hook_004": [(Kind.CLOSED, "1")],
}
"""Sent and signed by a real NetBox 4.7.3."""

OCTOKIT = {
    ("issues", "opened"): Kind.CREATED,
    ("issues", "edited"): Kind.EDITED,
    ("issues", "reopened"): Kind.REOPENED,
    ("issue_comment", "created"): Kind.COMMENTED,
    ("issue_comment", "edited"): Kind.EDITED,
}
"""All other actions tell nothing that Rolecall handles."""


def events(kind: str, headers: dict[str, str], body: bytes, segment: str = "", **settings: str) -> list[Event]:
    system = bare(kind, kind_of(kind, document_of(kind)).manifest, settings)
    found = list(read_delivery(Delivery(headers, body, segment), system, "").events)
    for event in found:
        check(event)
    return found


@pytest.mark.parametrize("name", TABLE)
def test_a_recorded_payload_becomes_its_event(name: str) -> None:
    kind, segment, headers, expected = TABLE[name]
    settings = NORDHAFEN if kind == "github" else {}
    found = events(kind, headers, (PAYLOADS / f"{name}.json").read_bytes(), segment, **settings)
    assert [(event.kind, event.ticket_id) for event in found] == expected


def test_no_payload_of_these_systems_is_left_out() -> None:
    there = {path.stem for path in PAYLOADS.glob("*_*.json")}
    assert (
        there - {name for name in there if name.startswith("django-helpdesk")} - {"signature_vectors"} == TABLE.keys()
    )


@pytest.mark.parametrize("name", CAPTURED)
def test_what_a_real_netbox_sent_is_its_event_and_its_signature_no_other_secrets(name: str) -> None:
    captured: dict[str, Any] = json.loads((PAYLOADS / f"netbox/{name}.json").read_text())
    headers = {key.lower(): value for key, value in captured["headers"]}
    body = captured["body_raw"].encode()
    assert [(event.kind, event.ticket_id) for event in events("netbox", headers, body)] == CAPTURED[name]
    with pytest.raises(InvalidSignature, match="no signature matches"):
        listening("netbox").verify(Delivery(headers, body))


def test_every_example_of_octokit_is_what_its_action_says() -> None:
    seen = 0
    for collection in json.loads((CONTRACTS / "github-webhook-examples.json").read_text()):
        for example in collection["examples"]:
            owner, repository = (example.get("repository") or {"full_name": "a/b"})["full_name"].split("/")
            headers, body = {"x-github-event": collection["name"]}, json.dumps(example).encode()
            found = events("github", headers, body, owner=owner, repository=repository)
            issue = example.get("issue") or {}
            kind = None if issue.get("pull_request") else OCTOKIT.get((collection["name"], example.get("action", "")))
            assert [event.kind for event in found] == ([kind] if kind else []), example.get("action")
            assert all(event.ticket_id == str(issue["number"]) for event in found)
            assert events("github", headers, body, owner=owner, repository="another") == []
            seen += 1
    assert seen >= 38
