"""A system that sends nothing before it was answered is answered, if it knows the secret."""

from __future__ import annotations

import pytest

from agent.core import Parts
from agent.store import status
from tests.connectors.systems.installed import installed
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
