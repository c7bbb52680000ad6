"""A real NetBox with maintenance orders: its own signed webhooks, and an account that may only comment."""

from __future__ import annotations

import json
import os
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
from tests.proofs.servers.beside import ROLES, Beside, answers, until

HOME = Path(os.environ.get("ROLECALL_NETBOX", "/var/cache/rolecall-netbox"))
HERE = Path(__file__).parent
POSTGRES = Path("/usr/lib/postgresql/15/bin")
INSTALL = "sudo sh tests/proofs/servers/netbox/install.sh"
SECRET = "the-secret-of-the-webhook"
START_SECONDS = 400.0
"""NetBox starts with twenty seconds of CPU time."""
ORDERS = "plugins/maintenance/circuitmaintenance"

pytestmark = pytest.mark.skipif(
    not (HOME / "keys.json").exists() or not shutil.which("redis-server") or os.geteuid() != 0,
    reason=f"no NetBox here that this user may start: {INSTALL} (Debian 12 and Python 3.12)",
)


@dataclass
class NetBox:
    url: str
    keys: dict[str, Any]

    def ask(self, method: str, path: str, who: str = "tech", **given: Any) -> Any:
        headers = {"Authorization": f"Token {self.keys[who]['token']}"}
        address = f"{self.url}/api/{path}"
        answer = httpx.request(method, address, headers=headers, json=given or None, timeout=120, trust_env=False)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def file(self, summary: str) -> int:
        given = {"name": f"WO {time.monotonic_ns()}", "status": "TENTATIVE", "provider": self.keys["network"]}
        times = {"start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z"}
        return int(self.ask("POST", f"{ORDERS}/", summary=summary, comments=summary, **given, **times)["id"])

    def change(self, number: int, **given: Any) -> None:
        self.ask("PATCH", f"{ORDERS}/{number}/", **given)

    def say(self, number: int, text: str) -> None:
        about = {"assigned_object_type": "netbox_circuitmaintenance.circuitmaintenance", "assigned_object_id": number}
        self.ask("POST", "extras/journal-entries/", kind="info", comments=text, **about)

    def ours(self, number: int) -> list[dict[str, Any]]:
        path = "extras/journal-entries/?assigned_object_type=netbox_circuitmaintenance.circuitmaintenance"
        rows = self.ask("GET", f"{path}&assigned_object_id={number}&ordering=id")["results"]
        return [row for row in rows if row["created_by"] == self.keys["rolecall"]["id"]]

    def tell(self, hook: str) -> None:
        """Send webhooks, as an administrator sets them up."""
        given = {"payload_url": hook, "http_method": "POST", "http_content_type": "application/json", "secret": SECRET}
        made = self.ask("POST", "extras/webhooks/", who="admin", name="Rolecall", **given)["id"]
        types = ["netbox_circuitmaintenance.circuitmaintenance", "extras.journalentry"]
        rule = {"object_types": types, "event_types": ["object_created", "object_updated"], "enabled": True}
        action = {"action_type": "webhook", "action_object_type": "extras.webhook", "action_object_id": made}
        self.ask("POST", "extras/event-rules/", who="admin", name="Rolecall", **rule, **action)


class Connected(Beside):
    """Rolecall beside this NetBox. It polls once an hour: what it hears, it hears by webhooks."""

    def connect(self, netbox: NetBox, url: str) -> None:
        roles = ROLES.replace('"Network" }', '"network" }').replace('"Electrician" }', '"electrician" }')
        table = {"kind": "netbox", "url": url, "staff": [str(netbox.keys["tech"]["id"])]}
        secrets = {"TOKEN": netbox.keys["rolecall"]["token"], "WEBHOOK_SECRETS": SECRET}
        self.configure(table, secrets, roles, poll_seconds=3_600)


@pytest.fixture(scope="module")
def netbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetBox]:
    folder = tmp_path_factory.mktemp("netbox")
    ports = {name: free_port() for name in ("PROOF_PG_PORT", "PROOF_REDIS_PORT", "web")}
    cluster = Path(f"{HOME}-{os.getpid()}")
    shutil.copytree(HOME / "pg", cluster)
    shutil.chown(cluster, "postgres")
    subprocess.run(["chown", "-R", "postgres", cluster], check=True)
    environment = os.environ | {
        "NETBOX_CONFIGURATION": "proof_configuration",
        "DJANGO_SETTINGS_MODULE": "netbox.settings",
        "PYTHONPATH": f"{HERE}:{HOME / 'venv/lib/python3.12/site-packages'}",
        **{name: str(port) for name, port in ports.items()},
    }
    django = [str(HOME / "venv/bin/python"), "-m", "django"]
    commands = [
        [
            *("runuser", "-u", "postgres", "--", str(POSTGRES / "postgres"), "-D", str(cluster)),
            *("-p", str(ports["PROOF_PG_PORT"]), "-k", "/tmp", "-c", "fsync=off"),
        ],
        ["redis-server", "--port", str(ports["PROOF_REDIS_PORT"]), "--save", ""],
        [*django, "runserver", "--noreload", f"127.0.0.1:{ports['web']}"],
        [*django, "rqworker", "default", "high", "low"],
    ]
    with ExitStack() as stack, (folder / "netbox.log").open("wb") as log:
        stack.callback(shutil.rmtree, cluster, ignore_errors=True)
        for command in commands:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
            stack.callback(end, process, 20)
        url = f"http://127.0.0.1:{ports['web']}"
        deadline = time.monotonic() + START_SECONDS
        while not answers(f"{url}/login/"):
            assert time.monotonic() < deadline, (folder / "netbox.log").read_text()[-2000:]
            time.sleep(0.5)
        yield NetBox(url, json.loads((HOME / "keys.json").read_text()))


@pytest.fixture(scope="module")
def gateway(netbox: NetBox) -> Iterator[Gateway]:
    with Gateway(netbox.url) as running:
        yield running


@pytest.fixture(scope="module")
def connected(netbox: NetBox, gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with Connected(tmp_path_factory.mktemp("rolecall"), Path(), Path()) as installation:
        installation.connect(netbox, gateway.url)
        netbox.tell(f"http://127.0.0.1:{installation.port}/hooks/plant")
        yield installation


def test_an_order_is_noted_answered_closed_and_learnt_though_the_server_is_killed(
    netbox: NetBox, connected: Connected, gateway: Gateway
) -> None:
    assert f"NetBox circuit maintenance at {gateway.url}, as rolecall" in connected.run("check")
    connected.start()
    connected.wait_until_idle(60)
    gateway.requests.clear()
    began = time.monotonic()
    first = netbox.file("vpn gateway is gone")
    noted = until(lambda: len(netbox.ours(first)) == 1, "a note on the first order")
    connected.wait_until_idle(60)
    print(f"noted_seconds={noted:.1f} requests_for_a_note={len(gateway.requests)}")
    (note,) = netbox.ours(first)
    assert "Network" in note["comments"]

    connected.kill()
    connected.start()
    second = netbox.file("vpn drops")
    until(lambda: len(netbox.ours(second)) == 1, "a note on the second order")
    connected.wait_until_idle(60)
    gateway.requests.clear()
    netbox.say(first, "/role electrician")
    answered = until(lambda: "Electrician" in netbox.ours(first)[0]["comments"], "the note answers")
    connected.wait_until_idle(60)
    print(f"answered_seconds={answered:.1f} requests_for_an_answer={len(gateway.requests)}")
    assert [entry["id"] for entry in netbox.ours(first)] == [note["id"]], "it is edited, and no second one written"

    gateway.requests.clear()
    netbox.change(second, status="COMPLETED")
    learnt = until(lambda: "2 reviews" in connected.run("connectors", "list"), "a command and a closure are learnt")
    connected.wait_until_idle(60)
    print(f"learnt_seconds={learnt:.1f} requests_for_a_closure={len(gateway.requests)}")
    assert [len(netbox.ours(number)) for number in (first, second)] == [1, 1]
    print(f"whole loop: {time.monotonic() - began:.0f} s")


def test_what_the_account_may_not_do_it_does_not_need(netbox: NetBox) -> None:
    """Control: the account that all of this was done with can neither close an order nor file one."""
    number = netbox.file("vpn once more")
    for method, path in (("PATCH", f"{ORDERS}/{number}/"), ("POST", f"{ORDERS}/")):
        with pytest.raises(httpx.HTTPStatusError) as caught:
            netbox.ask(method, path, who="rolecall", status="COMPLETED")
        assert caught.value.response.status_code in (403, 404)
