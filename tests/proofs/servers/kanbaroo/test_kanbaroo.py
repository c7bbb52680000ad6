"""A real Kanbaroo, described by one file of ours: filed by its command, noted, answered, closed, learnt."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.demo.installation import Installation
from agent.demo.processes import end
from tests.proofs.servers.beside import Beside, answers, until

HOME = Path(os.environ.get("ROLECALL_KANBAROO", "/var/cache/rolecall-kanbaroo"))
BIN = HOME / "venv/bin"
INSTALL = "PYTHON312=python3.12 sh tests/proofs/servers/kanbaroo/install.sh"

pytestmark = pytest.mark.skipif(not (BIN / "kb").exists(), reason=f"no Kanbaroo here: {INSTALL} (two minutes)")


@dataclass
class Kanbaroo:
    url: str
    environment: dict[str, str]
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, who: str = "sam", version: int | None = None, **given: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} | ({"If-Match": str(version)} if version else {})
        url = f"{self.url}/api/v1/{path}"
        answer = httpx.request(method, url, headers=headers, json=given or None, timeout=60, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def kb(self, *words: str) -> str:
        done = subprocess.run([BIN / "kb", *words], env=self.environment, check=True, capture_output=True, text=True)
        return done.stdout

    def open_for(self, who: str) -> None:
        given = {"actor_type": "human", "actor_id": who, "name": who}
        self.tokens[who] = self.ask("POST", "tokens", "owner", **given)["plaintext"]

    def file(self, subject: str) -> str:
        """File a story by Kanbaroo's own command."""
        self.kb("story", "create", "--workspace", "KAN", "--title", subject, "--description", subject)
        rows = self.ask("GET", "audit?entity_type=story&limit=20")["items"]
        return next(str(row["entity_id"]) for row in rows if row["diff"]["after"]["title"] == subject)

    def say(self, number: str, text: str) -> None:
        self.ask("POST", f"stories/{number}/comments", body=text)

    def close(self, number: str, epic: str) -> None:
        version = self.ask("GET", f"stories/{number}")["version"]
        version = self.ask("PATCH", f"stories/{number}", version=version, epic_id=epic)["version"]
        for state in ("todo", "in_progress", "in_review", "done"):
            version = self.ask("POST", f"stories/{number}/transition", version=version, to_state=state)["version"]

    def ours(self, number: str) -> list[dict[str, Any]]:
        rows = self.ask("GET", f"stories/{number}/comments")["items"]
        return [row for row in rows if row["actor_id"] == "rolecall"]


class Connected(Beside):
    """Rolecall beside this Kanbaroo."""

    def connect(self, kanbaroo: Kanbaroo) -> None:
        table = {"kind": "kanbaroo", "url": kanbaroo.url, "author_id": "rolecall", "staff": ["sam"]}
        self.configure(table, {"TOKEN": kanbaroo.tokens["rolecall"]})
        kinds = self.folder / "connectors"
        kinds.mkdir()
        (kinds / "kanbaroo.toml").write_text(Path(__file__).with_name("kanbaroo.toml").read_text())


@pytest.fixture(scope="module")
def kanbaroo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kanbaroo]:
    folder = tmp_path_factory.mktemp("kanbaroo")
    port = Installation(folder, folder, folder).port
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "KANBAROO_CONFIG_DIR": str(folder),
        "KANBAROO_DATABASE_URL": f"sqlite:///{folder}/kanbaroo.db",
        "KANBAROO_API_HOST": "127.0.0.1",
        "KANBAROO_API_PORT": str(port),
        "KANBAROO_API_URL": url,
        "COLUMNS": "200",
    }
    made = Kanbaroo(url, environment)
    token = re.search(r"kbr_[\w-]+", made.kb("init"))
    assert token
    made.tokens["owner"] = token[0]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([BIN / "kanbaroo-api"], env=environment, stdout=log, stderr=log)
    try:
        until(lambda: answers(f"{url}/api/v1/openapi.json"), "Kanbaroo answers")
        for who in ("sam", "rolecall"):
            made.open_for(who)
        made.ask("POST", "workspaces", key="KAN", name="Plant")
        yield made
    finally:
        end(process, 10)


@pytest.fixture(scope="module")
def connected(kanbaroo: Kanbaroo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with Connected(tmp_path_factory.mktemp("rolecall"), Path(), Path()) as installation:
        installation.connect(kanbaroo)
        yield installation


def test_a_story_is_noted_answered_closed_and_learnt_though_the_server_is_killed(
    kanbaroo: Kanbaroo, connected: Connected
) -> None:
    assert f"Kanbaroo at {kanbaroo.url}" in connected.run("check")
    connected.start()
    began = time.monotonic()
    first = kanbaroo.file("vpn gateway is gone")
    until(lambda: len(kanbaroo.ours(first)) == 1, "a note on the first story")
    print(f"noted after {time.monotonic() - began:.1f} s")
    (note,) = kanbaroo.ours(first)
    assert "Network" in note["body"]

    numbers = connected.noted_though_killed(kanbaroo.file, kanbaroo.ours)

    kanbaroo.say(first, "/role electrician")
    until(lambda: "Electrician" in kanbaroo.ours(first)[0]["body"], "the note answers")
    assert [each["id"] for each in kanbaroo.ours(first)] == [note["id"]], "it is edited, and no second one written"

    workspace = kanbaroo.ask("GET", f"stories/{first}")["workspace_id"]
    epic = kanbaroo.ask("POST", f"workspaces/{workspace}/epics", title="Network")["id"]
    kanbaroo.close(numbers[0], epic)
    until(lambda: connected.reviews() == 2, "a command and a closure are learnt")
    connected.wait_until_idle(60)
    assert [len(kanbaroo.ours(number)) for number in (first, *numbers)] == [1, 1, 1]
    print(f"whole loop: {time.monotonic() - began:.0f} s")
