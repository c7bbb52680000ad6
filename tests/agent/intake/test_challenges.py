"""A system that sends nothing before it was answered is answered, if it knows the secret; and is told where we are."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import pytest
from pydantic import TypeAdapter

from agent.core import Parts
from agent.store import status
from connectors.manifest.catalogue import kind_of
from connectors.manifest.connector import ManifestConnector
from tests.connectors.systems.installed import installed
from tests.connectors.test_requests import BARE
from tests.serving_app import running

pytestmark = pytest.mark.anyio
SECRET, WRONG = "the-secret-of-this-hook", "a-wrong-secret-for-it"


async def test_only_who_knows_the_secret_is_answered_and_nothing_is_kept_of_it(parts: Parts) -> None:
    connector = installed("asana").connect(SECRET)
    async with running(parts, connector) as server:  # type: ignore[arg-type]
        asked = {"headers": {"X-Hook-Secret": "b537207f"}}
        answers = [await server.client.post(f"/hooks/plant-2/{secret}", **asked) for secret in (SECRET, WRONG)]
        answers.append(await server.client.get(f"/hooks/plant-2/{SECRET}", **asked))
    assert [(a.status_code, a.headers.get("x-hook-secret")) for a in answers] == [
        (200, "b537207f"),
        (401, None),
        (405, None),
    ]
    assert answers[0].headers["x-content-type-options"] == "nosniff"
    assert parts.database.call(status.counts) == {}


async def test_who_only_asks_whether_somebody_is_there_is_told_so_whatever_the_address(parts: Parts) -> None:
    """Trello makes no webhook for an address that does not answer a HEAD, which proves nothing and holds nothing."""
    async with running(parts, installed("asana").connect(SECRET)) as server:  # type: ignore[arg-type]
        for path in (f"/hooks/plant-2/{SECRET}", f"/hooks/plant-2/{WRONG}", "/hooks/plant-2", "/hooks/nobody"):
            answer = await server.client.head(path)
            assert (answer.status_code, answer.content, dict(answer.headers)) == (200, b"", {"content-length": "0"})
    assert parts.database.call(status.counts) == {}


async def test_what_is_signed_with_the_address_is_checked_with_the_one_that_the_sender_was_told(
    parts_for: Callable[..., Parts],
) -> None:
    """A proxy in front takes off TLS, and may take off a part of the path: the sender signed neither without it."""
    verify = {"by": "hmac", "header": "x-signed", "message": "{body}{url}"}
    event = {"when": "body.id", "kind": "created", "ticket": "body.id"}
    made = kind_of("bare", BARE | {"receive": {"verify": verify, "has": "body.id", "event": [event]}})
    given = {"url": "https://desk.example.test", "key": "a-key", "author_id": "99", "webhook_secrets": SECRET}
    settings = TypeAdapter(made.settings).validate_python(given)
    connector = ManifestConnector("bare", "plant-2", made.manifest, settings)
    body, path, statuses = b'{"id": 7}', "/hooks/plant-2/made?x=1", []
    parts = parts_for(server={"public_url": "https://rolecall.example.org/base"})
    async with running(parts, connector) as server:  # type: ignore[arg-type]
        for told in ("https://rolecall.example.org/base", str(server.client.base_url).rstrip("/")):
            signature = hmac.new(SECRET.encode(), body + f"{told}{path}".encode(), hashlib.sha256).hexdigest()
            answer = await server.client.post(path, content=body, headers={"X-Signed": signature})
            statuses.append(answer.status_code)
    assert statuses == [202, 401]
