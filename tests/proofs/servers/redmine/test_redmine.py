"""A real Redmine 5, polled by an account that may only read and comment: filed, noted, answered, closed, learnt."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.demo.installation import Installation
from agent.demo.processes import end
from tests.proofs.servers.beside import Beside, answers, until
from tests.proofs.servers.writing import (
    Ours,
    Reviewer,
    a_conversation_ends_in_one_note_that_follows,
    a_text_is_put_in_order_and_restored,
)

HOME = Path(os.environ.get("ROLECALL_REDMINE", "/var/cache/rolecall-redmine"))
INSTANCES = Path("/usr/share/redmine/instances")
INSTALL = "sudo sh tests/proofs/servers/redmine/install.sh"

pytestmark = pytest.mark.skipif(
    not (HOME / "keys.json").exists() or not shutil.which("puma") or not os.access(INSTANCES, os.W_OK),
    reason=f"no Redmine 5 here that this user may start: {INSTALL} (Debian 12)",
)


@dataclass
class Redmine:
    url: str
    keys: dict[str, Any]

    def ask(self, method: str, path: str, who: str = "tech", **issue: Any) -> Any:
        headers = {"X-Redmine-API-Key": self.keys[who]["key"]}
        given = {"json": {"issue": issue}} if issue else {}
        answer = httpx.request(method, f"{self.url}{path}", headers=headers, timeout=60, trust_env=False, **given)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def file(self, subject: str, project: str = "Network", text: str = "") -> int:
        number = self.keys["projects"][project]
        given = {"project_id": number, "tracker_id": 1, "status_id": 1, "priority_id": 2}
        said = {"subject": subject, "description": text or subject}
        return int(self.ask("POST", "/issues.json", **said, **given)["issue"]["id"])

    def issue(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/issues/{number}.json?include=journals")["issue"]
        return found

    def ours(self, number: int) -> list[dict[str, Any]]:
        return [j for j in self.issue(number)["journals"] if j["user"]["id"] == self.keys["bot"]["id"] and j["notes"]]


class Connected(Beside):
    """Rolecall beside this Redmine."""

    def connect(self, redmine: Redmine, who: str = "bot") -> None:
        table = {"kind": "redmine", "url": redmine.url, "staff": [str(redmine.keys["tech"]["id"])]}
        self.configure(table, {"API_KEY": redmine.keys[who]["key"]})


@pytest.fixture(scope="module")
def redmine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redmine]:
    folder = tmp_path_factory.mktemp("redmine")
    shutil.copy(HOME / "redmine.sqlite", folder / "redmine.sqlite")
    instance = INSTANCES / f"rolecall-proof-{os.getpid()}"
    shutil.copytree(INSTANCES / "rolecall-proof", instance)
    (instance / "config/database.yml").write_text(
        f"production:\n  adapter: sqlite3\n  database: {folder / 'redmine.sqlite'}\n  timeout: 20000\n"
    )
    port = Installation(folder, folder, folder).port
    url = f"http://127.0.0.1:{port}"
    with (folder / "puma.log").open("wb") as log:
        process = subprocess.Popen(
            ["puma", "-b", f"tcp://127.0.0.1:{port}", "-e", "production", "-t", "1:4", "config.ru"],
            cwd="/usr/share/redmine",
            env=os.environ | {"REDMINE_INSTANCE": instance.name, "RAILS_ENV": "production"},
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: answers(url), "Redmine answers")
        yield Redmine(url, json.loads((HOME / "keys.json").read_text()))
    finally:
        end(process, 10)
        shutil.rmtree(instance)


@pytest.fixture(scope="module")
def connected(redmine: Redmine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with Connected(tmp_path_factory.mktemp("rolecall"), Path(), Path()) as installation:
        installation.connect(redmine)
        installation.start()
        yield installation


def test_an_issue_is_noted_for_staff_alone_answered_closed_and_learnt_though_the_server_is_killed(
    redmine: Redmine, connected: Connected
) -> None:
    checked = connected.run("check")
    assert f"Redmine at {redmine.url}, as rolecall" in checked
    assert "it sends no webhooks" in checked
    before, began = connected.reviews(), time.monotonic()
    first = redmine.file("vpn gateway is gone")
    until(lambda: len(redmine.ours(first)) == 1, "a note on the first issue")
    print(f"noted after {time.monotonic() - began:.1f} s")
    (note,) = redmine.ours(first)
    assert note["private_notes"] is True
    assert "Network" in note["notes"]

    numbers = connected.noted_though_killed(redmine.file, redmine.ours)

    redmine.ask("PUT", f"/issues/{first}.json", notes="/role electrician", private_notes=True)
    until(lambda: "Electrician" in redmine.ours(first)[0]["notes"], "the note answers")
    assert [journal["id"] for journal in redmine.ours(first)] == [note["id"]], "it is edited, and no second one written"

    redmine.ask("PUT", f"/issues/{numbers[0]}.json", status_id=redmine.keys["closed"][0])
    until(lambda: connected.reviews() >= before + 2, "a command and a closure are learnt")
    connected.wait_until_idle(60)
    assert [len(redmine.ours(number)) for number in (first, *numbers)] == [1, 1, 1]
    assert redmine.issue(numbers[0])["status"]["id"] == redmine.keys["closed"][0], "our note reopens nothing"
    print(f"whole loop: {time.monotonic() - began:.0f} s")


@dataclass
class Talked:
    """This Redmine."""

    redmine: Redmine

    def file(self, subject: str, text: str) -> str:
        return str(self.redmine.file(subject, text=text))

    def say(self, number: str, text: str) -> None:
        self.redmine.ask("PUT", f"/issues/{number}.json", notes=text)

    def close(self, number: str) -> None:
        self.redmine.ask("PUT", f"/issues/{number}.json", status_id=self.redmine.keys["closed"][0])

    def reopen(self, number: str) -> None:
        self.redmine.ask("PUT", f"/issues/{number}.json", status_id=1)

    def closed(self, number: str) -> bool:
        return bool(self.redmine.issue(int(number))["status"]["id"] == self.redmine.keys["closed"][0])

    def named(self, number: str) -> str:
        return str(self.redmine.issue(int(number))["subject"])

    def text(self, number: str) -> str:
        return str(self.redmine.issue(int(number))["description"])

    def rewrite(self, number: str, text: str) -> None:
        self.redmine.ask("PUT", f"/issues/{number}.json", description=text)

    def ours(self, number: str) -> list[Ours]:
        return [Ours(note["notes"], note["private_notes"]) for note in self.redmine.ours(int(number))]


def test_a_conversation_ends_in_one_private_note_that_follows_when_it_is_closed_again(
    redmine: Redmine, connected: Connected
) -> None:
    """The server is killed right after each closure: the note appears all the same, and once."""
    a_conversation_ends_in_one_note_that_follows(Talked(redmine), connected, connected.again)


def test_a_text_is_put_in_order_and_restored_by_an_account_that_may_edit(
    redmine: Redmine, connected: Connected, tmp_path: Path
) -> None:
    connected.stop()  # it would hear of the same issues
    with Connected(tmp_path, Path(), Path()) as editing:
        editing.connect(redmine, "tech")
        editing.start()
        with contextlib.closing(Reviewer(editing)) as person:
            a_text_is_put_in_order_and_restored(Talked(redmine), person, "plant")
    connected.start()


def test_what_the_account_may_not_do_it_does_not_need(redmine: Redmine) -> None:
    """Control: the account that all of this was done with can neither close nor edit an issue."""
    number = redmine.file("vpn once more")
    with pytest.raises(httpx.HTTPStatusError):
        redmine.ask("POST", "/issues.json", who="bot", project_id=1, subject="x")
    redmine.ask("PUT", f"/issues/{number}.json", who="bot", status_id=redmine.keys["closed"][0])  # 204, and ignored
    assert redmine.issue(number)["status"]["id"] == 1
