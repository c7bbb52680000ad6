"""A real Znuny: filed in its own form, noted, answered, closed, learnt, moved, by a manifest alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.demo.processes import end
from tests.processes import free_port
from tests.proofs.gateway import Gateway
from tests.proofs.servers.beside import Beside, answers, until

HOME = Path(os.environ.get("ROLECALL_ZNUNY", "/var/cache/rolecall-znuny"))
POSTGRES = Path("/usr/lib/postgresql/15/bin/postgres")
INSTALL = "sudo sh tests/proofs/servers/znuny/install.sh"
OURS = 3
"""The number of Rolecall's agent there."""

pytestmark = pytest.mark.skipif(
    not (HOME / "installed").exists() or not POSTGRES.exists() or os.geteuid() != 0,
    reason=f"no Znuny here that this user may start: {INSTALL} (Debian 12, five minutes)",
)


@dataclass
class Znuny:
    url: str

    def ask(self, method: str, path: str, who: str = "sam", **given: Any) -> Any:
        login = {"CustomerUserLogin" if who == "line3" else "UserLogin": who, "Password": f"{who}-pw"}
        url = f"{self.url}/nph-genericinterface.pl/Webservice/GenericTicketConnectorREST/{path}"
        sent: dict[str, Any] = {"params": login | given} if method == "GET" else {"json": login | given}
        answer = httpx.request(method, url, timeout=120, trust_env=False, **sent)
        answer.raise_for_status()
        assert "Error" not in answer.json(), answer.text
        return answer.json()

    def file(self, subject: str) -> str:
        """File a ticket in the customers' own form."""
        with httpx.Client(timeout=120, trust_env=False, follow_redirects=True) as browser:
            page, login = f"{self.url}/customer.pl", {"User": "line3", "Password": "line3-pw"}
            browser.post(page, data={"Action": "Login"} | login)
            form = browser.get(f"{page}?Action=CustomerTicketMessage").text
            given = dict(re.findall(r'name="(ChallengeToken|FormID)" value="([\w.]+)"', form))
            given |= {"Action": "CustomerTicketMessage", "Subaction": "StoreNew", "Dest": "4||Misc", "PriorityID": "3"}
            browser.post(page, data=given | {"Subject": subject, "Body": subject}).raise_for_status()
        found = self.ask("POST", "Ticket/Search", Title=subject, SortBy="Age", OrderBy="Down", Limit=1)
        return str(found["TicketID"][0])

    def say(self, number: str, text: str, who: str = "sam", **more: Any) -> None:
        article = {"Subject": "Re", "Body": text, "ContentType": "text/plain; charset=utf8", "IsVisibleForCustomer": 1}
        self.ask("PATCH", f"Ticket/{number}", who, Article=article | more)

    def articles(self, number: str, who: str = "sam") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"Ticket/{number}", who, AllArticles="1")["Ticket"][0]["Article"]
        return found

    def ours(self, number: str) -> list[str]:
        return [each["Body"] for each in self.articles(number) if each["CreateBy"] == OURS]


class Connected(Beside):
    """Rolecall beside this Znuny."""

    def connect(self, url: str) -> None:
        self.configure(
            {"kind": "znuny", "url": url, "allow_http": True, "user": "rolecall"}, {"PASSWORD": "rolecall-pw"}
        )


@pytest.fixture(scope="module")
def znuny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Znuny]:
    folder, cluster = tmp_path_factory.mktemp("znuny"), Path(f"{HOME}-{os.getpid()}")
    database, web = free_port(), free_port()
    shutil.copytree(HOME / "pg", cluster)
    subprocess.run(["chown", "-R", "postgres", cluster], check=True)
    environment = os.environ | {"ZNUNY_HOME": str(HOME / "home"), "ZNUNY_PG_PORT": str(database)}
    commands = [
        ["runuser", "-u", "postgres", "--", POSTGRES, "-D", cluster, "-p", database, "-k", "/tmp", "-c", "fsync=off"],
        [
            "plackup",
            "-s",
            "Starlet",
            "--host",
            "127.0.0.1",
            "--port",
            web,
            "--max-workers",
            "2",
            "bin/cgi-bin/app.psgi",
        ],
    ]
    with ExitStack() as stack, (folder / "znuny.log").open("wb") as log:
        stack.callback(shutil.rmtree, cluster, ignore_errors=True)
        for command in commands:
            words = list(map(str, command))
            process = subprocess.Popen(words, env=environment, stdout=log, stderr=log, cwd=HOME / "home")
            stack.callback(end, process, 20)
        until(lambda: answers(f"http://127.0.0.1:{web}/otrs/customer.pl"), "Znuny answers")
        yield Znuny(f"http://127.0.0.1:{web}/otrs")


@pytest.fixture(scope="module")
def gateway(znuny: Znuny) -> Iterator[Gateway]:
    with Gateway(znuny.url.removesuffix("/otrs")) as running:
        yield running


@pytest.fixture(scope="module")
def connected(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with Connected(tmp_path_factory.mktemp("rolecall"), Path(), Path()) as installation:
        installation.connect(f"{gateway.url}/otrs")
        yield installation


def test_a_ticket_is_noted_answered_closed_and_learnt_though_the_server_is_killed(
    znuny: Znuny, connected: Connected, gateway: Gateway
) -> None:
    assert "Znuny at" in connected.run("check")
    connected.start()
    began = time.monotonic()
    gateway.strike(connected.pid, "after", lambda what: what.startswith("PATCH "))
    first = znuny.file("vpn gateway is gone")
    assert gateway.struck.wait(120), "no comment was posted"
    connected.gone()
    connected.start()
    second = znuny.file("vpn drops")
    until(lambda: len(znuny.ours(second)) == 1, "a note on the second ticket")
    connected.wait_until_idle(60)
    (note,) = znuny.ours(first)
    assert "perhaps Network" in note, "the note that was stored before the kill is the only one"
    assert note not in [each["Body"] for each in znuny.articles(first, "line3")], "the requester does not see it"

    znuny.say(first, "/role electrician", "line3")
    znuny.say(first, "/role electrician", "line3", SenderType="agent")
    znuny.say(second, "/role electrician")
    until(lambda: len(znuny.ours(second)) == 2, "a second note answers, as none can be edited")
    connected.wait_until_idle(60)
    assert "Electrician" in znuny.ours(second)[1].splitlines()[0]
    assert "perhaps Network" in znuny.ours(first)[-1], (
        "neither as what it is nor posing as an agent is a customer obeyed"
    )

    znuny.ask("PATCH", f"Ticket/{first}", Ticket={"Queue": "Electrician", "State": "closed successful"})
    until(lambda: connected.reviews() == 2, "a command and a closure are learnt")
    connected.wait_until_idle(60)
    print(f"whole loop: {time.monotonic() - began:.0f} s, {len(gateway.requests)} requests")

    assert "done" in connected.run("act", "assign", f"plant:{second}", "Electrician")
    assert znuny.ask("GET", f"Ticket/{second}")["Ticket"][0]["Queue"] == "Electrician"
    assert re.search("Misc.*Electrician", connected.run("act", "moves", f"plant:{second}"))
