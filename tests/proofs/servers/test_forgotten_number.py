"""A real helpdesk that is restored gives a number again: what the first ticket said is forgotten, however asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from agent.demo.helpdesk import HelpdeskServer, HelpdeskUnavailable, ensure_environment
from agent.demo.installation import Installation
from tests.agent.keeping.planted import places
from tests.patience import PATIENCE_SECONDS

CONFIG = Path(__file__).parents[3] / "config"
OLD, NEW = "OKAPI-CANARY-5521", "TAPIR-CANARY-8812"
ASKED, ASKS_LATER = "okapi@example.org", "tapir@example.org"


@pytest.mark.parametrize("by_number", [True, False], ids=["by number", "by requester"])
def test_no_word_of_the_first_ticket_is_left(tmp_path: Path, by_number: bool) -> None:
    try:
        python = ensure_environment()
    except HelpdeskUnavailable as error:
        pytest.skip(f"no real helpdesk here: {error}")
    desk = tmp_path / "helpdesk"
    with Installation(tmp_path / "rolecall", CONFIG / "rules.toml", CONFIG / "roles.toml") as installation:
        helpdesk = HelpdeskServer(python, desk, installation.webhook_url)
        with helpdesk:
            pass
        shutil.copytree(desk, tmp_path / "saved")
        with helpdesk:
            installation.configure(
                helpdesk, triage={"silent_below": 0}, work={"poll_seconds": 1, "settle_seconds": 0.2}
            )
            installation.start()
            number = file(helpdesk, installation, OLD, ASKED)
        shutil.rmtree(desk)
        shutil.copytree(tmp_path / "saved", desk)
        with helpdesk:
            assert file(helpdesk, installation, NEW, ASKS_LATER) == number
            data = installation.folder / "data"
            assert places(data, OLD)
            what = ("--ticket", f"django-helpdesk:{number}") if by_number else ("--requester", ASKED)
            installation.run("forget", *what, "--yes")
            installation.wait_until_idle(PATIENCE_SECONDS)
            assert places(data, OLD) == places(data, ASKED) == []
            assert bool(places(data, NEW)) is not by_number


def file(helpdesk: HelpdeskServer, installation: Installation, subject: str, requester: str) -> int:
    """File a ticket as somebody, wait for what Rolecall does about it, and return its number."""
    headers = {"Authorization": f"Token {helpdesk.tokens['tech']}"}
    ticket = {"queue": helpdesk.queues["WO"], "title": subject, "description": f"{subject} leaks oil", "priority": 3}
    with httpx.Client(base_url=helpdesk.url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False) as api:
        answer = api.post("/api/tickets/", json=ticket | {"submitter_email": requester}).raise_for_status()
    installation.wait_until_idle(PATIENCE_SECONDS)
    return int(answer.json()["id"])
