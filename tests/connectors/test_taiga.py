"""Taiga as its own serializers answer: lists of issues hold no description, and texts are in the language asked for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.manifest.connector import ManifestConnector
from tests.connectors.history import LONG_AGO
from tests.connectors.systems.installed import kind, settings

pytestmark = pytest.mark.anyio

LISTED = {
    "id": 91,
    "ref": 7,
    "project": 3,
    "subject": "Pump 7 leaks",
    "is_closed": True,
    "created_date": "2026-11-02T07:14:03.412Z",
    "modified_date": "2026-11-03T07:14:03.412Z",
    "finished_date": "2026-11-03T07:14:03.412Z",
    "owner": 12,
    "assigned_to": None,
    "tags": [["pumps", None]],
    "version": 4,
}
NO_PAGE = {"en": "Invalid page (2): That page contains no results", "de": "Ungültige Seite (2)"}


def answer(request: httpx.Request) -> httpx.Response:
    path, params = request.url.path.rpartition("/v1/")[2], request.url.params
    if path == "issues" and params["page"] != "1":
        language = request.headers.get("accept-language", "de")  # that of the server's or the user's own settings
        return httpx.Response(404, json={"_error_message": NO_PAGE[language]})
    answers: dict[str, Any] = {
        "auth": {"auth_token": "a-token"},
        "users/me": {"id": 99, "username": "rolecall"},
        "issues": [LISTED],
        "issues/by_ref": LISTED | {"description": "Oil under the pump"},
        "history/issue/91": [],
    }
    return httpx.Response(200, json=answers[path])


async def test_the_history_has_the_text_that_the_list_leaves_out_and_an_end_in_any_language() -> None:
    client = httpx.AsyncClient(base_url="https://desk.example.test/v1/", transport=httpx.MockTransport(answer))
    connector = ManifestConnector("taiga", "plant", kind("taiga").manifest, settings("taiga"), client)
    place, found, complete = None, [], False
    while not complete:
        past = await connector.history(LONG_AGO, place, messages=False)
        place, complete = past.place, past.complete
        found += [event.ticket.body for event in past.closures if event.ticket is not None]
    assert found == ["Oil under the pump"]
