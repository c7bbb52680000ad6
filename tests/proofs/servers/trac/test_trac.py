"""A real Trac, for which nobody here wrote code: filed, noted, answered, closed, learnt, by a manifest alone."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.demo.installation import Installation
from agent.demo.processes import end
from connectors.base import Change, Field
from connectors.errors import Permanent, TicketNotFound
from connectors.manifest.catalogue import document_of, kind_of
from tests.proofs.servers.beside import Beside, answers, until

HOME = Path(os.environ.get("ROLECALL_TRAC", "/var/cache/rolecall-trac"))
PYTHON = HOME / "venv/bin/python"
INSTALL = "sh tests/proofs/servers/trac/install.sh"

LONG_AGO = {"__jsonclass__": ["datetime", "2026-02-01T08:00:00"]}
CLOSING = {"action": "resolve", "action_resolve_resolve_resolution": "fixed"}

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason=f"no Trac here: {INSTALL} (a minute)")


@dataclass
class Trac:
    url: str

    def ask(self, method: str, *params: Any, who: str = "sam") -> Any:
        answer = httpx.post(
            f"{self.url}/login/rpc",
            json={"method": method, "params": params},
            auth=(who, f"{who}-pw"),
            timeout=60,
            trust_env=False,
        )
        answer.raise_for_status()
        assert answer.json()["error"] is None, answer.json()["error"]
        return answer.json()["result"]

    def file(self, subject: str) -> int:
        """File a ticket in Trac's own form, as anybody does who has a browser."""
        with httpx.Client(auth=("line3", "line3-pw"), timeout=60, trust_env=False, follow_redirects=True) as browser:
            browser.get(f"{self.url}/login")
            page = browser.get(f"{self.url}/newticket").text
            token = re.search(r'name="__FORM_TOKEN" value="(\w+)"', page)
            assert token, page[:500]
            given = {"field_summary": subject, "field_description": subject, "field_component": "component1"}
            given |= {"field_type": "defect", "field_priority": "major", "field_owner": "< default >"}
            given |= {"action": "create", "__FORM_TOKEN": token[1], "submit": "Create ticket"}
            answer = browser.post(f"{self.url}/newticket", data=given)
            answer.raise_for_status()
            found = re.search(r"/ticket/(\d+)", str(answer.url))
            assert found, answer.text[:2_000]
            return int(found[1])

    def update(self, number: int, comment: str, **fields: str) -> None:
        self.ask("ticket.update", number, comment, {"action": "leave", **fields})

    def ours(self, number: int) -> list[str]:
        log = self.ask("ticket.changeLog", number)
        return [row[4] for row in log if row[1:3] == ["rolecall", "comment"]]


class Connected(Beside):
    """Rolecall beside this Trac."""

    def connect(self, trac: Trac) -> None:
        self.configure(
            {"kind": "trac", "url": trac.url, "user": "rolecall", "staff": ["sam"]}, {"PASSWORD": "rolecall-pw"}
        )


@contextmanager
def served(folder: Path, way: str) -> Iterator[Trac]:
    """Serve a new Trac, which asks for Basic or Digest."""
    port = Installation(folder, folder, folder).port
    command = list(map(str, [PYTHON, Path(__file__).with_name("serve.py"), folder / "trac", port, way]))
    with (folder / "trac.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}"), "Trac answers")
        yield Trac(f"http://127.0.0.1:{port}")
    finally:
        end(process, 10)


@pytest.fixture(scope="module")
def trac(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trac]:
    with served(tmp_path_factory.mktemp("trac"), "basic") as one:
        yield one


@pytest.fixture(scope="module")
def connected(trac: Trac, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with Connected(tmp_path_factory.mktemp("rolecall"), Path(), Path()) as installation:
        installation.connect(trac)
        yield installation


def test_a_ticket_is_noted_answered_closed_and_learnt_though_the_server_is_killed(
    trac: Trac, connected: Connected
) -> None:
    assert f"Trac at {trac.url}, as rolecall" in connected.run("check")
    past = [
        trac.ask("ticket.create", f"vpn of the past {n}", "it is gone", {"component": "Network"}, False, LONG_AGO)
        for n in range(3)
    ]
    for number in past:
        trac.ask("ticket.update", number, "mended", CLOSING, False, "", LONG_AGO)
    connected.start()
    began = time.monotonic()
    first = trac.file("vpn gateway is gone")
    until(lambda: len(trac.ours(first)) == 1, "a note on the first ticket")
    print(f"noted after {time.monotonic() - began:.1f} s")
    assert "Network" in trac.ours(first)[0]

    numbers = connected.noted_though_killed(trac.file, trac.ours)

    trac.update(first, "/role electrician")
    until(lambda: len(trac.ours(first)) == 2, "a second note answers, as none can be edited")
    assert "Electrician" in trac.ours(first)[1]

    trac.update(numbers[0], "", component="Network")
    trac.ask("ticket.update", numbers[0], "done", CLOSING)
    until(lambda: connected.reviews() == 2, "a command and a closure are learnt")
    connected.wait_until_idle(60)
    assert [len(trac.ours(number)) for number in (first, *numbers)] == [2, 1, 1]
    print(f"whole loop: {time.monotonic() - began:.0f} s")

    connected.run("backfill", connected.connector, "--since", "2026-01-01")
    until(lambda: connected.reviews() == 2 + len(past), "what was closed before is taken in")
    print(connected.run("backfill", connected.connector, "--since", "2026-01-01"))
    connected.wait_until_idle(60)
    assert connected.reviews() == 2 + len(past), "each once"


@pytest.mark.anyio
async def test_a_server_that_asks_for_digest_is_read_and_written_as_the_setup_says(tmp_path: Path) -> None:
    document = document_of("trac")
    document["api"] |= {"auth": document["api"]["auth"] | {"by": "digest"}, "headers": {"Connection": "close"}}
    made = kind_of("trac-digest", document)
    with served(tmp_path, "digest") as trac:
        for password, right in (("rolecall-pw", True), ("wrong", False)):
            connector = made.connect("plant", made.settings(url=trac.url, user="rolecall", password=password))
            if not right:
                with pytest.raises(Permanent, match="401"):
                    await connector.check()
                await connector.aclose()
                continue
            assert "as rolecall" in await connector.check()
            with pytest.raises(TicketNotFound):
                await connector.post_comment("1", "nobody has filed it")
            with pytest.raises(Permanent, match="no group Nowhere"):
                await connector.change_ticket("1", Change(Field.GROUP, "Nowhere", None))
            await connector.aclose()
