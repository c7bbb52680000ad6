"""A real issue tracker for which there is a manifest and nothing else, and which tells nothing of what changed."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from agent.demo.installation import Installation
from agent.demo.processes import end
from connectors.errors import Permanent, TicketNotFound
from connectors.manifest.catalogue import kind_of
from connectors.manifest.connector import ManifestConnector
from connectors.markup import render
from tests.desk import note
from tests.proofs.servers.beside import answers, until

PYTHON = Path(os.environ.get("ROLECALL_ISSUE_TRACKER", "/var/cache/rolecall-issue-tracker")) / "venv/bin/python"
INSTALL = "sh tests/proofs/servers/issue_tracker/install.sh"
HERE = Path(__file__).parent
MARK = f"rolecall-{'a1' * 10}-{'b2' * 8}"

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not PYTHON.exists(), reason=f"no genericissuetracker here: {INSTALL} (half a minute)"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("issue-tracker")
    port = Installation(folder, folder, folder).port
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([PYTHON, HERE / "serve.py", folder / "home", str(port)], stdout=log, stderr=log)
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}"), "the issue tracker answers")
        yield f"http://127.0.0.1:{port}"
    finally:
        end(process, 10)


def connect(url: str, password: str = "rolecall-pw", author_id: str | None = "1") -> ManifestConnector:
    made = kind_of("issue-tracker", tomllib.loads((HERE / "issue-tracker.toml").read_text()))
    given = {"url": url, "user": "rolecall", "password": password, "author_id": author_id}
    return made.connect("plant", TypeAdapter(made.settings).validate_python(given))


def sam(url: str, path: str, **given: Any) -> Any:
    answer = httpx.post(f"{url}/api/v1/{path}", json=given, auth=("sam", "sam-pw"), timeout=60, trust_env=False)
    answer.raise_for_status()
    return answer.json()


async def test_filed_noted_answered_and_closed_though_the_system_tells_of_no_change(url: str) -> None:
    old = sam(url, "issues/", title="Long ago", description="Oil", priority="LOW")["issue_number"]
    connector = connect(url)
    began = await connector.poll(None)
    number = str(sam(url, "issues/", title="Pump 7 leaks", description="Oil under the pump")["issue_number"])
    found = await connector.poll(began.watermark)
    assert [(event.kind.value, event.ticket_id) for event in found.events] == [("created", number)]

    said = render(note("Role: Hydraulics"), connector.capabilities.markup, MARK)
    stored = await connect(url, author_id=None).post_comment(number, said)
    (message,) = (await connect(url).read_ticket(number)).messages
    assert (message.id, message.author_id, stored.author_id) == (stored.id, "1", "1")

    sam(url, "comments/", issue=int(number), body="/role engine")
    sam(url, f"issues/{old}/change-status/", status="CLOSED")
    later = await connect(url).poll(found.watermark)
    words = [(e.kind.value, e.ticket_id, e.message and e.message.text) for e in later.events]
    words = [each for each in words if each[0] != "created"]
    assert sorted(words, key=str) == [("closed", str(old), None), ("commented", number, "/role engine")]
    assert (await connect(url).poll(later.watermark)).events == []

    await connector.remove_comment(number, stored.id)
    await connector.remove_comment(number, stored.id)
    assert [m.text for m in (await connector.read_ticket(number)).messages] == ["/role engine"]
    for call in (connector.read_ticket("4711"), connector.post_comment("4711", said)):
        with pytest.raises(TicketNotFound):
            await call
    with pytest.raises(Permanent, match="the token is not accepted"):
        await connect(url, "wrong").read_ticket(number)
