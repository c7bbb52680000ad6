"""Each kind of fault that `rolecall check` finds, beside the same installation without it."""

from __future__ import annotations

import json
import os
import re
import socket
import tempfile
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from agent.checks import look
from agent.checks.own_account import own_account
from agent.config.settings import ConnectorSettings, Settings
from agent.core import Parts
from agent.data_directory import DataDirectory
from agent.domain import Strength
from agent.store import comments, tickets
from agent.store.arrivals import Arrival, accept
from agent.store.tables import Review, Ticket, utcnow
from connectors.django_helpdesk import DjangoHelpdeskSettings
from connectors.events import Event, Kind
from connectors.events import Ticket as RemoteTicket
from tests.agent.checks.conftest import TICKETS, CheckThat
from tests.desk import Desk

ROOT = Path(__file__).parents[3]
ROLES = """
[[role]]
name = "Network"
groups = { plant = ["net", "wifi"] }
[[role]]
name = "Locksmith"
groups = { plant = "keys" }
[[role]]
name = "Plumber"
"""


def plant(**changes: Any) -> dict[str, ConnectorSettings]:
    """Return the settings of a helpdesk that nobody runs."""
    given = {"url": "http://127.0.0.1:9", "token": "t", "author_id": "2", "webhook_secrets": ("s" * 24,)}
    return {"plant": ConnectorSettings("django-helpdesk", DjangoHelpdeskSettings(**given | changes))}  # type: ignore[arg-type]


def about(lines: list[str], *words: str) -> list[str]:
    return [line for line in lines if all(word in line for word in words)]


@pytest.fixture
def roles(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "roles.toml").write_text(ROLES)
    (tmp_path / "rules.toml").write_text("")
    return {"roles": tmp_path / "roles.toml", "rules": tmp_path / "rules.toml"}


def test_groups_that_no_role_has_and_roles_without_a_group_are_named(check: CheckThat, roles: dict[str, Path]) -> None:
    found = check(connectors=plant(queues={"1": "net", "2": "Keys", "3": "hr"}), **roles)
    assert about(found, "warn roles: no role has hr of plant")
    assert about(found, "warn roles: Plumber without a group of plant")
    assert not about(found, "was ever in")


def test_a_group_that_no_ticket_was_ever_in_is_named_once_there_are_tickets(
    check: CheckThat, roles: dict[str, Path], parts: Parts
) -> None:
    parts.database.call(tickets.file, Ticket(key="plant:1", subject="s", body="b", group="net", filed_at=utcnow()))
    moved = Event(Kind.CLOSED, "2", "c2", utcnow(), ticket=RemoteTicket("2", "s", "b", group="Wifi", closed=True))
    other = Event(Kind.CLOSED, "3", "c3", utcnow(), ticket=RemoteTicket("3", "s", "b", group="keys"))
    parts.database.call(accept, [Arrival("plant", moved, b"", utcnow()), Arrival("plant-2", other, b"", utcnow())])
    found = check(connectors=plant(), **roles)
    assert about(found, "no ticket of plant was ever in 'keys' (Locksmith)", "Seen: Wifi, net")
    assert len(about(found, "was ever in")) == 1
    closed = Review(ticket_key="plant:9", roles=["Locksmith"], strength=Strength.CLOSED, origin="c9", at=utcnow())
    parts.database.call(lambda session: session.add(closed))
    assert not about(check(connectors=plant(), **roles), "was ever in"), "the history's tickets ended there"


def test_roles_without_any_group_are_one_line(check: CheckThat) -> None:
    found = check(connectors=plant(queues={"1": "net"}))
    assert about(found, "warn roles: none has a group of plant: a ticket that is closed there teaches nothing")
    assert not about(found, "without a group")


@pytest.mark.parametrize("name", ["WEBHOOK_SECRETS"])
def test_the_secret_of_the_example_is_found(check: CheckThat, name: str) -> None:
    example = (ROOT / "config/env.example").read_text("utf-8")
    [value] = re.findall(rf"^ROLECALL_CONNECTORS__DJANGO_HELPDESK__{name}=(.+)$", example, re.MULTILINE)
    found = check(connectors=plant(webhook_secrets=tuple(json.loads(value))))
    assert about(found, "FAIL secrets: connectors.plant.webhook_secrets is the example's", "openssl rand")
    assert not about(found, *json.loads(value))
    assert not about(check(connectors=plant()), "secrets")


def test_an_address_in_use_fails_and_a_free_one_does_not(check: CheckThat) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.listen()
        line = f"FAIL server: cannot listen on 127.0.0.1:{port} (settings server.host and server.port): another program"
        assert about(check(server={"port": port}), line)
    assert about(check(server={"port": port}), f"ok server: can listen on 127.0.0.1:{port}")
    assert about(check(server={"host": "no-such-host.invalid"}), "FAIL server: cannot listen on no-such-host.invalid")


class Alive(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_: object) -> None:
        pass


def test_an_address_that_our_own_server_uses_is_in_order(check: CheckThat, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with HTTPServer(("127.0.0.1", 0), Alive) as server, DataDirectory(tmp_path / "data").serving() as note:
        url = f"http://127.0.0.1:{server.server_port}"
        note(url)
        Thread(target=server.handle_request).start()
        assert about(check(server={"port": server.server_port}), f"ok server: runs at {url}")


ZONES = {"Europe/Berlin": True, "CET-1CEST": True, "UTC-3": True, "<+0330>-3:30": True, ":UTC": True, "": True}
ZONES |= {"EST5EDT,M3.2.0,M11.1.0": True, "Mars/Phobos": False, "/no/such/file": False, "../../etc/passwd": False}


@pytest.mark.parametrize(("zone", "known"), ZONES.items())
def test_a_zone_that_the_system_takes_for_utc_is_told(
    check: CheckThat, zone: str, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        found = check()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert bool(about(found, "ok time zone: local time is UTC")) is known
    assert bool(about(found, "warn time zone: TZ is", "UTC is used")) is not known


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a process without any folder for temporary files but one that TMPDIR names."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [os.environ["TMPDIR"]])
    monkeypatch.setenv("TMPDIR", "/proc/none")  # not delenv: what the test puts there would stay for the tests after it


@pytest.mark.usefixtures("nowhere")
def test_without_a_temporary_folder_one_in_data_is_told_and_used(check: CheckThat, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "tmp"
    assert about(check(), "warn temporary folder: none can be written to", f"{folder} is used")
    assert not folder.exists()
    DataDirectory(tmp_path / "data").create()
    with tempfile.NamedTemporaryFile() as file:
        assert Path(file.name).parent == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not about(check(), "temporary folder")


@pytest.mark.anyio
@pytest.mark.parametrize(("author", "wrong"), [("bot", False), ("7", True)])
async def test_an_author_id_that_is_not_ours_is_found_by_our_latest_comment(
    parts: Parts, desk: Desk, author: str, wrong: bool
) -> None:
    desk.create("old")
    desk.create("VPN down")
    desk.reply("2", "**Role: Network**\n\n[//]: # (rolecall-ours)", author="bot")
    desk.reply("2", "something else", author="tech")
    for number, mark in (("1", "rolecall-other"), ("2", "rolecall-ours")):
        parts.database.call(comments.want, f"desk:{number}", mark, str)
        parts.database.call(comments.attempt, f"desk:{number}", utcnow())
    desk.author_id = author
    files = {"data": parts.directory.path, "rules": TICKETS / "rules.toml", "roles": TICKETS / "roles.toml"}
    with look(Path("agent.toml"), Settings(**files)) as installation:  # type: ignore[arg-type]
        found = [finding.text async for finding in own_account(installation, desk)]
    assert bool(found) is wrong
    assert not found or "connectors.desk.author_id is 7, but our comment on ticket 2 is by bot" in found[0]


def test_queues_of_triage_that_no_ticket_named_and_tags_that_nobody_tells(
    check: CheckThat, roles: dict[str, Path], parts: Parts
) -> None:
    parts.database.call(tickets.file, Ticket(key="plant:1", subject="s", body="b", group="net", filed_at=utcnow()))
    ignore = {"queues": {"plant": ["hr"]}, "tags": ["spam"]}
    triage = {"only": {"plant": ["Net"]}, "ignore": ignore, "shadow": {"plant": ["wfi"]}}
    found = check(connectors=plant(), triage=triage, **roles)
    assert about(found, "triage.ignore.queues: no ticket of plant was ever in 'hr': is its name right? Seen: net")
    assert about(found, "triage.shadow: no ticket of plant was ever in 'wfi'")
    assert not about(found, "triage.only")
    assert about(found, "warn plant: tells no tags")
