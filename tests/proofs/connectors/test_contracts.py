"""Every request that a shipped manifest makes is one that the vendor's own document allows.

The documents are not in this project: the proof is skipped without them, and without openapi-core.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.base import Change
from connectors.markup import render
from tests.connectors.systems.fake import BOT
from tests.connectors.systems.installed import Installed, installed
from tests.desk import note

openapi = pytest.importorskip("openapi_core", reason="needs openapi-core: .venv/bin/pip install openapi-core==0.23.1")
from openapi_core.testing.requests import MockRequest  # noqa: E402

CONTRACTS = Path(__file__).parents[3] / "../shared/contracts"
DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "github": ("github-issues.openapi.json", "/api/v3"),
    "jira": ("jira-comments.openapi.json", "/ex/jira/1"),
    "maintainx": ("maintainx-2026-08-22.openapi.json", "/v1"),
}
"""The vendor's document, and what the address in the tests has before its paths."""
NOT_IN_THE_SLICE = {"/user"}

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not CONTRACTS.exists(), reason="the vendors' documents are not beside this checkout"),
]


@cache
def contract(name: str) -> Any:
    document = json.loads((CONTRACTS / DOCUMENTS[name][0]).read_text())
    lenient = openapi.Config(spec_validator_cls=None)  # MaintainX's document breaks its own rules elsewhere
    return openapi.OpenAPI.from_dict(document, config=lenient if name == "maintainx" else None)


def checked(name: str, request: httpx.Request) -> None:
    """Raise the library's error for a request that the document does not know or allow."""
    document = contract(name)
    path = request.url.path.removeprefix(DOCUMENTS[name][1])
    if path in NOT_IN_THE_SLICE:
        return
    server = document.spec.read_value()["servers"][0]["url"]
    host, _, base = server.removeprefix("https://").partition("/")
    args = {key: request.url.params.get_list(key) for key in request.url.params}
    document.validate_request(
        MockRequest(
            f"https://{host}",
            request.method.lower(),
            f"{'/' + base if base else ''}{path}",
            args={key: values[0] if len(values) == 1 else values for key, values in args.items()},
            headers=dict(request.headers),
            data=request.content or None,
            content_type="application/json" if request.content else "",
        )
    )


def watched(name: str) -> tuple[Installed, Callable[[], int]]:
    system = installed(name)
    answer = system.fake.__call__

    def check(request: httpx.Request) -> httpx.Response:
        checked(name, request)
        return answer(request)

    system.fake.__class__ = type("Watched", (type(system.fake),), {"__call__": lambda _, request: check(request)})
    return system, lambda: len(system.fake.requests)


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_all_that_we_ask_and_write_is_in_the_vendors_document(name: str) -> None:
    system, asked = watched(name)
    connector = system.connect(author_id=str(BOT))
    await connector.check()
    began = await connector.poll(None)
    ticket = system.fake.file("Pump 7 leaks")
    for _ in range(3):
        system.fake.say(ticket, "/role hydraulics")
    number, text = system.fake.name(ticket.id), render(note("Role: Engine"), connector.capabilities.markup, "m")
    stored = await connector.post_comment(
        number, render(note("x"), connector.capabilities.markup, f"rolecall-{'a' * 20}")
    )
    await connector.read_ticket(number)
    if connector.capabilities.edits_comments:
        await connector.edit_comment(number, stored.id, text)
    if connector.capabilities.removes_comments:
        await connector.remove_comment(number, stored.id)
    for field in connector.capabilities.changes:
        await connector.change_ticket(number, Change(field, system.fake.groups[1]))
    await connector.poll(began.watermark)
    assert asked() >= 5


@pytest.mark.parametrize(
    ("name", "method", "url", "body"),
    [
        ("github", "POST", "https://x/api/v3/repos/o/r/issues/7/comments", {"text": "no body"}),
        ("github", "GET", "https://x/api/v3/repos/o/r/isues", None),
        ("github", "GET", "https://x/api/v3/repos/o/r/issues?state=closd", None),
        ("jira", "GET", "https://x/ex/jira/1/rest/api/3/search", None),
        ("maintainx", "POST", "https://x/v1/workorders/7/comments", {"body": "no content"}),
        ("maintainx", "GET", "https://x/v1/workorders?sort=updated", None),
    ],
)
def test_control_a_request_that_the_document_does_not_allow_is_seen(
    name: str, method: str, url: str, body: Any
) -> None:
    given = {"json": body} if body is not None else {}
    with pytest.raises(Exception, match=r"(?i)not found|invalid|missing|validation|enum|error"):
        checked(name, httpx.Request(method, url, headers={"Authorization": "Bearer t"}, **given))
