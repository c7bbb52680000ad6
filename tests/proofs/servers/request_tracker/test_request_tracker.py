"""A real Request Tracker 5 with our scrip: filed, noted for staff alone, answered, closed, learnt, moved and tagged.

Rolecall's account may read and comment, and nothing more; for what `rolecall act` does, another may change tickets.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.demo.installation import Installation
from agent.demo.processes import end
from agent.errors import NotPossibleYet
from tests.patience import PATIENCE_SECONDS
from tests.proofs.gateway import Gateway, Moment
from tests.proofs.servers.beside import Beside, answers, until

HOME = Path(os.environ.get("ROLECALL_RT", "/var/cache/rolecall-rt"))
SERVER = "/usr/share/request-tracker5/libexec/rt-server"
INSTALL = "sudo sh tests/proofs/servers/request_tracker/install.sh"
SECRET = "whsec_" + "cm9sZWNhbGwtcHJvb2Ytb2YtcmVxdWVzdC10cmFja2Vy"

pytestmark = pytest.mark.skipif(
    not (HOME / "tokens.json").exists() or not Path(SERVER).exists(),
    reason=f"no Request Tracker 5 here: {INSTALL} (Debian 12)",
)

ROLES = """
[[role]]
name = "Network"
groups = { rt = "Network" }
[[role]]
name = "Electrician"
groups = { rt = "Electrician" }
"""


class Server:
    """RT on a copy of the prepared database; it tells `hook` what happens."""

    def __init__(self, folder: Path, hook: str) -> None:
        shutil.copy(HOME / "rt.sqlite", folder)
        self.tokens: dict[str, str] = json.loads((HOME / "tokens.json").read_text())
        port = Installation(folder, folder, folder).port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "rt.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [SERVER, "--host", "127.0.0.1", "--port", str(port), "--max-workers", "3"],
                env=os.environ
                | {
                    "RT_HOME": str(folder),
                    "RT_PORT": str(port),
                    "RT_SITE_CONFIG": str(HOME / "RT_SiteConfig.pm"),
                    "RT_SITE_CONFIG_DIR": str(HOME / "empty.d"),
                    "PERL5LIB": str(HOME / "lib"),
                    "RT_ROLECALL_URL": hook,
                    "RT_ROLECALL_SECRET": SECRET,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def ask(self, method: str, path: str, who: str = "tech", **given: Any) -> Any:
        headers = {"Authorization": f"token {self.tokens[who]}"}
        url = f"{self.url}/REST/2.0/{path}"
        answer = httpx.request(method, url, headers=headers, timeout=60, trust_env=False, json=given or None)
        answer.raise_for_status()
        return answer.json()

    def file(self, subject: str, text: str = "") -> str:
        given = {"Queue": "Work orders", "Subject": subject, "Requestor": "customer@example.test"}
        return str(self.ask("POST", "ticket", **given, Content=text or subject, ContentType="text/plain")["id"])

    def say(self, number: str, text: str) -> None:
        self.ask("POST", f"ticket/{number}/comment", Content=text, ContentType="text/plain")

    def ours(self, number: str, who: str = "rolecall") -> list[tuple[str, str]]:
        """Return type and text of what Rolecall's account wrote."""
        rows = self.ask("GET", f"ticket/{number}/history?fields=Type,Creator&per_page=100")["items"]
        mine = {row["id"]: row["Type"] for row in rows if row["Creator"]["id"] == who}
        fields = "fields=Content,TransactionId&per_page=100"
        said = self.ask("GET", f"ticket/{number}/attachments?{fields}")["items"]
        return [(mine[each["TransactionId"]], each["Content"]) for each in said if each["TransactionId"] in mine]


class Connected(Beside):
    """Rolecall beside this Request Tracker, as one of its users."""

    connector = "rt"

    def connect(self, url: str, token: str) -> None:
        table = {"kind": "request-tracker", "url": url, "tag_field": "Rolecall"}
        self.configure(table, {"TOKEN": token, "WEBHOOK_SECRETS": json.dumps([SECRET])}, ROLES, poll_seconds=5)
        self.run("db", "upgrade")  # a test may begin with a command that needs an installation

    @property
    def hook(self) -> str:
        return f"{self.url}/hooks/rt"


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with Connected(tmp_path_factory.mktemp("rolecall"), Path(), Path()) as installation:
        yield installation


@pytest.fixture(scope="module")
def server(connected: Connected, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("rt"), connected.hook)
    try:
        until(lambda: answers(f"{running.url}/REST/2.0/rt"), "Request Tracker answers")
        yield running
    finally:
        end(running.process, 10)


@pytest.fixture
def gateway(server: Server) -> Iterator[Gateway]:
    with Gateway(server.url) as running:
        yield running


def posts(what: str) -> bool:
    return what.startswith("POST ") and what.endswith("/comment")


def test_a_ticket_is_noted_for_staff_alone_answered_closed_and_learnt_though_the_server_is_killed(
    server: Server, connected: Connected, gateway: Gateway
) -> None:
    connected.connect(gateway.url, server.tokens["rolecall"])
    assert f"Request Tracker at {gateway.url}, as rolecall" in connected.run("check")
    connected.start()
    gateway.requests.clear()
    first = server.file("vpn gateway is gone")
    noted = until(lambda: len(server.ours(first)) == 1, "a note on the first ticket")
    connected.wait_until_idle(60)
    print(f"noted_seconds={noted:.1f} requests_for_a_note={len(gateway.requests)}")
    ((kind, text),) = server.ours(first)
    assert (kind, "Network" in text) == ("Comment", True)

    moments: tuple[Moment, ...] = ("before", "after")
    before = connected.reviews()
    for moment in moments:
        gateway.strike(connected.pid, moment, posts)
        number = server.file(f"no vpn at the plant, {moment}")
        assert gateway.struck.wait(PATIENCE_SECONDS)
        connected.gone()
        connected.start()
        seconds = until(lambda number=number: len(server.ours(number)) > 0, "a note although killed")  # type: ignore[misc]
        connected.wait_until_idle(60)
        print(f"killed_{moment}_seconds={seconds:.1f}")
        assert len(server.ours(number)) == 1

    server.say(first, "/role electrician")
    answered = until(lambda: len(server.ours(first)) == 2, "the command is answered")
    assert "Electrician" in server.ours(first)[-1][1]
    assert "replaces" in server.ours(first)[-1][1], "a comment cannot be edited here: the newest says so"
    server.ask("PUT", f"ticket/{number}", Queue="Network")
    server.ask("PUT", f"ticket/{number}", Status="resolved")
    learnt = until(lambda: connected.reviews() >= before + 2, "a command and a closure are learnt")
    connected.wait_until_idle(60)
    moves = connected.run("act", "moves", f"rt:{number}")
    assert "Work orders -> Network" in moves
    assert "as seen" not in moves, "the system's own history tells the time"
    print(f"answered_seconds={answered:.1f} learnt_seconds={learnt:.1f}")


def test_a_ticket_is_moved_tagged_and_renamed_by_an_account_that_may_and_by_no_other(
    server: Server, connected: Connected, gateway: Gateway
) -> None:
    number = server.file("socket sparks")
    key = f"rt:{number}"
    connected.connect(gateway.url, server.tokens["rolecall"])
    for words in (("assign", key, "Electrician"), ("tag", key, "Electrician"), ("subject", key, "Socket sparks")):
        with pytest.raises(NotPossibleYet, match="lacks the right"):  # control: what the first proof was done with
            connected.run("act", *words)
    connected.connect(gateway.url, server.tokens["mover"])
    for words in (("assign", key, "Electrician"), ("tag", key, "Electrician"), ("subject", key, "Socket sparks")):
        gateway.requests.clear()
        began = time.monotonic()
        for _ in range(2):
            assert f"{key}: done" in connected.run("act", *words)
        print(f"{words[0]}_seconds={(time.monotonic() - began) / 2:.1f} requests={len(gateway.requests) / 2:.0f}")
        assert gateway.count("PUT") == 1, "the second time there was nothing to do"
    row = server.ask("GET", f"ticket/{number}?fields%5BQueue%5D=Name")
    assert (row["Queue"]["Name"], row["Subject"]) == ("Electrician", "Socket sparks")
    assert [field["values"] for field in row["CustomFields"]] == [["role-electrician"]]


@pytest.mark.parametrize(
    ("moment", "meanwhile"), [("before", "nothing"), ("after", "nothing"), ("after", "moved back")]
)
def test_a_kill_around_a_move(
    server: Server, connected: Connected, gateway: Gateway, moment: Moment, meanwhile: str
) -> None:
    number = server.file("fuse blown")
    key = f"rt:{number}"
    connected.connect(gateway.url, server.tokens["mover"])

    def queue() -> str:
        return str(server.ask("GET", f"ticket/{number}?fields%5BQueue%5D=Name")["Queue"]["Name"])

    words = connected.command("act", "assign", key, "Electrician")
    process = subprocess.Popen(words, env=os.environ | dict(connected.secrets()), stdout=subprocess.DEVNULL)
    gateway.strike(process.pid, moment, lambda what: what.startswith("PUT "))
    until(lambda: process.poll() is not None, "the command is ended")
    assert process.returncode == -9
    if meanwhile == "moved back":
        server.ask("PUT", f"ticket/{number}", Queue="Work orders")
        with pytest.raises(NotPossibleYet, match="a person has changed it since"):  # the history of RT shows it
            connected.run("act", "assign", key, "Electrician")
        assert queue() == "Work orders"
    else:
        assert f"{key}: done" in connected.run("act", "assign", key, "Electrician")
        assert queue() == "Electrician"
    assert gateway.count("PUT") == 1
