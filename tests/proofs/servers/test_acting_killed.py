"""Rolecall is killed around a change of a ticket on a real django-helpdesk: it goes on once, never against people."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.demo.helpdesk import HelpdeskServer
from agent.demo.installation import Installation
from connectors.base import Change, Field
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from tests.proofs.gateway import Gateway, Moment
from tests.servers.conftest import file_ticket as file_ticket
from tests.servers.conftest import settings as settings
from tests.servers.conftest import tech as tech

pytestmark = pytest.mark.xdist_group("helpdesk")

ROLES = '[[role]]\nname = "Hydraulics"\ngroups = { django-helpdesk = "HYD" }\n'


@pytest.fixture
def gateway(helpdesk: HelpdeskServer) -> Iterator[Gateway]:
    with Gateway(helpdesk.url) as running:
        yield running


@pytest.fixture
def rolecall(tmp_path: Path, helpdesk: HelpdeskServer, gateway: Gateway) -> Installation:
    (tmp_path / "roles.toml").write_text(ROLES)
    (tmp_path / "rules.toml").write_text("")
    installation = Installation(tmp_path, tmp_path / "rules.toml", tmp_path / "roles.toml")
    installation.configure(helpdesk, work={"settle_seconds": 1})
    file = tmp_path / "agent.toml"
    file.write_text(file.read_text().replace(helpdesk.url, gateway.url))
    installation.run("db", "upgrade")
    return installation


def assign(rolecall: Installation, key: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        rolecall.command("act", "assign", key, "Hydraulics"),
        env=os.environ | dict(rolecall.secrets()),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def again(rolecall: Installation, key: str) -> tuple[int, str]:
    """Run the same command in full, and return its exit code and what it said last."""
    words = rolecall.command("act", "assign", key, "Hydraulics")[3:]
    done = CliRunner().invoke(app, words, env=dict(rolecall.secrets()))
    return done.exit_code, done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("moment", "meanwhile"),
    [
        ("before", "nothing"),
        ("after", "nothing"),
        ("before", "moved on"),
        ("after", "moved on"),
        ("after", "moved back"),
    ],
)
def test_a_kill_around_the_change(
    rolecall: Installation,
    helpdesk: HelpdeskServer,
    gateway: Gateway,
    tech: httpx.Client,
    file_ticket: Callable[..., str],
    moment: Moment,
    meanwhile: str,
) -> None:
    number = file_ticket()
    key = f"django-helpdesk:{number}"
    names = {number: slug for slug, number in helpdesk.queues.items()}

    def queue() -> str:
        return names[tech.get(f"/api/tickets/{number}/").json()["queue"]]

    first = assign(rolecall, key)
    gateway.strike(first.pid, moment, lambda what: what.startswith("PATCH /api/tickets/"))
    assert gateway.struck.wait(120)
    assert first.wait(60) == -9
    assert queue() == ("HYD" if moment == "after" else "WO")
    if meanwhile == "moved on":
        tech.patch(f"/api/tickets/{number}/", json={"queue": helpdesk.queues["ELE"]}).raise_for_status()
    if meanwhile == "moved back":
        tech.patch(f"/api/tickets/{number}/", json={"queue": helpdesk.queues["WO"]}).raise_for_status()
        tech.post("/api/followups/", json={"ticket": number, "comment": "Ours, please"}).raise_for_status()
    code, said = again(rolecall, key)
    expected = {
        "nothing": (0, f"{key}: done", "HYD", 1),
        "moved on": (1, f"{key}: left alone: a person has changed it since", "ELE", moment == "after"),
        "moved back": (
            1,
            f"{key}: left alone: the answer to an earlier attempt was lost, and people have said something since",
            "WO",
            moment == "after",
        ),
    }[meanwhile]
    assert (code, said, queue(), gateway.count("PATCH")) == expected
    assert again(rolecall, key)[0] == 0  # whoever asks again has seen what people did
    assert queue() == "HYD"


def test_control_whoever_repeats_without_looking_overrules_a_person(
    settings: DjangoHelpdeskSettings, helpdesk: HelpdeskServer, tech: httpx.Client, file_ticket: Callable[..., str]
) -> None:
    number = file_ticket()

    async def twice() -> None:
        connector = DjangoHelpdesk("django-helpdesk", settings)
        await connector.change_ticket(number, Change(Field.GROUP, "HYD"))
        await connector.change_ticket(number, Change(Field.GROUP, "ELE"))  # as a person would
        await connector.change_ticket(number, Change(Field.GROUP, "HYD"))
        await connector.aclose()

    asyncio.run(twice())
    assert tech.get(f"/api/tickets/{number}/").json()["queue"] == helpdesk.queues["HYD"]
