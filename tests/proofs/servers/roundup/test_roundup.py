"""A real Roundup, for which nobody here wrote code: filed, noted, answered, closed, learnt, by a manifest alone."""

from __future__ import annotations

import os
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

HOME = Path(os.environ.get("ROLECALL_ROUNDUP", "/var/cache/rolecall-roundup"))
PYTHON = HOME / "venv/bin/python"
INSTALL = "sh tests/proofs/servers/roundup/install.sh"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason=f"no Roundup here: {INSTALL} (half a minute)")


@dataclass
class Roundup:
    url: str

    def ask(self, method: str, path: str, who: str = "sam", **given: Any) -> Any:
        headers = {"X-Requested-With": "rest", "Origin": self.url, "Referer": f"{self.url}/"}
        answer = httpx.request(
            method,
            f"{self.url}/rest/data/{path}",
            headers=headers,
            auth=(who, f"{who}-pw"),
            json=given or None,
            timeout=60,
            trust_env=False,
        )
        answer.raise_for_status()
        return answer.json()["data"]

    def number_of(self, user: str) -> str:
        return str(self.ask("GET", f"user?username={user}")["collection"][0]["id"])

    def change(self, number: str, **given: Any) -> None:
        for _ in range(20):  # whoever reads an etag may be overtaken
            etag = self.ask("GET", f"issue/{number}")["@etag"]
            try:
                self.ask("PATCH", f"issue/{number}", **given, **{"@etag": etag})
            except httpx.HTTPStatusError as error:
                if error.response.status_code != httpx.codes.PRECONDITION_FAILED:
                    raise
            else:
                return
        raise AssertionError(f"issue {number} changes all the time")

    def say(self, number: str, text: str, who: str = "sam") -> None:
        message = self.ask("POST", "msg", who, content=text, author=self.number_of(who))["id"]
        self.change(number, messages=[message], **{"@op": "add"})

    def file(self, subject: str) -> str:
        number = str(self.ask("POST", "issue", "line3", title=subject)["id"])
        self.say(number, subject, "line3")
        return number

    def messages(self, number: str) -> list[dict[str, Any]]:
        ids = self.ask("GET", f"issue/{number}")["attributes"]["messages"]
        return [self.ask("GET", f"msg/{each['id']}?@verbose=3")["attributes"] | {"id": each["id"]} for each in ids]

    def ours(self, number: str) -> list[dict[str, Any]]:
        bot = self.number_of("rolecall")
        return [each for each in self.messages(number) if each["author"]["id"] == bot]


class Connected(Beside):
    """Rolecall beside this Roundup."""

    def connect(self, roundup: Roundup) -> None:
        table = {"kind": "roundup", "url": roundup.url, "user": "rolecall", "staff": [roundup.number_of("sam")]}
        self.configure(table, {"PASSWORD": "rolecall-pw"})


@pytest.fixture(scope="module")
def roundup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roundup]:
    folder = tmp_path_factory.mktemp("roundup")
    port = Installation(folder, folder, folder).port
    with (folder / "roundup.log").open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, Path(__file__).with_name("serve.py"), folder / "tracker", str(port)], stdout=log, stderr=log
        )
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}"), "Roundup answers")
        yield Roundup(f"http://127.0.0.1:{port}")
    finally:
        end(process, 10)


@pytest.fixture(scope="module")
def connected(roundup: Roundup, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with Connected(tmp_path_factory.mktemp("rolecall"), Path(), Path()) as installation:
        installation.connect(roundup)
        yield installation


def test_an_issue_is_noted_answered_closed_and_learnt_though_the_server_is_killed(
    roundup: Roundup, connected: Connected
) -> None:
    assert f"Roundup at {roundup.url}, as rolecall" in connected.run("check")
    connected.start()
    began = time.monotonic()
    first = roundup.file("vpn gateway is gone")
    until(lambda: len(roundup.ours(first)) == 1, "a note on the first issue")
    print(f"noted after {time.monotonic() - began:.1f} s")
    (note,) = roundup.ours(first)
    assert "Network" in note["content"]

    numbers = connected.noted_though_killed(roundup.file, roundup.ours)

    roundup.say(first, "/role electrician")
    until(lambda: "Electrician" in roundup.ours(first)[0]["content"], "the note answers")
    assert [each["id"] for each in roundup.ours(first)] == [note["id"]], "it is edited, and no second one written"

    keyword = str(roundup.ask("GET", "keyword")["collection"][0]["id"])
    resolved = next(s["id"] for s in roundup.ask("GET", "status?@verbose=2")["collection"] if s["name"] == "resolved")
    roundup.change(numbers[0], keyword=[keyword], status=resolved)
    until(lambda: "2 reviews" in connected.run("connectors", "list"), "a command and a closure are learnt")
    connected.wait_until_idle(60)
    assert [len(roundup.ours(number)) for number in (first, *numbers)] == [1, 1, 1]
    print(f"whole loop: {time.monotonic() - began:.0f} s")
