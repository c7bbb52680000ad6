"""A whole server beside a real helpdesk: what is closed without a webhook is known after one poll."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.demo.helpdesk import HelpdeskServer, HelpdeskUnavailable, ensure_environment
from agent.demo.installation import Installation
from agent.demo.staff import RESOLVED, Staff
from tests.servers.browser import signed_in

CONFIG = Path(__file__).parents[3] / "config"
IN_BULK, BY_PATCH = 6, 6
POLL_SECONDS, NEVER_SECONDS = 1, 100_000
PATIENCE_SECONDS = 120
LAST_POLL = "rolecall_poll_last_success_timestamp_seconds"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("whole") / "rolecall", CONFIG / "rules.toml", CONFIG / "roles.toml")


@pytest.fixture(scope="module")
def own_helpdesk(installation: Installation) -> Iterator[HelpdeskServer]:
    try:
        python = ensure_environment()
    except HelpdeskUnavailable as error:
        pytest.skip(f"no real helpdesk here: {error}")
    with HelpdeskServer(python, installation.folder.parent / "helpdesk", installation.webhook_url) as running:
        yield running


@contextmanager
def serving(installation: Installation, helpdesk: HelpdeskServer, poll_seconds: int) -> Iterator[None]:
    installation.configure(helpdesk, triage={"silent_below": 0.1}, work={"poll_seconds": poll_seconds})
    with installation:
        installation.start()
        wait_for(lambda: figure(installation, LAST_POLL) > 0)
        yield


def figure(installation: Installation, name: str, **labels: str) -> float:
    text = httpx.get(f"{installation.url}/metrics", trust_env=False, timeout=30).text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def one_poll(installation: Installation) -> None:
    """Return when a poll is over that began after this call, and its events are worked off."""
    for _ in range(2):  # the first to end may have begun before
        last = figure(installation, LAST_POLL)
        wait_for(lambda last=last: figure(installation, LAST_POLL) > last)
    installation.wait_until_idle(PATIENCE_SECONDS)


def closures(installation: Installation) -> float:
    """Return how many closures this server has handled."""
    return figure(installation, "rolecall_events_total", kind="closed", outcome="done")


def known_as_closed(installation: Installation) -> set[str]:
    with sqlite3.connect(installation.folder / "data" / "rolecall.sqlite3") as database:
        rows = database.execute("SELECT key FROM ticket WHERE closed_at IS NOT NULL").fetchall()
    return {key for (key,) in rows}


def close_without_a_webhook(installation: Installation, helpdesk: HelpdeskServer) -> set[str]:
    """File tickets, close half of them in bulk and half by PATCH, and return their keys."""
    with Staff(helpdesk.url, helpdesk.tokens["tech"]) as tech, signed_in(helpdesk) as browser:
        texts = [f"replace radiator cap of truck {n}" for n in range(IN_BULK + BY_PATCH)]
        numbers = [tech.file(helpdesk.queues["WO"], text, text) for text in texts]
        installation.wait_until_idle(PATIENCE_SECONDS)
        deliveries = figure(installation, "rolecall_deliveries_total")
        closing = {"ticket_id": list(map(str, numbers[:IN_BULK])), "action": "close"}
        assert browser.post("/tickets/update/", data=closing).status_code == 302
        with httpx.Client(
            base_url=helpdesk.url, headers={"Authorization": f"Token {helpdesk.tokens['tech']}"}, trust_env=False
        ) as api:
            for number in numbers[IN_BULK:]:
                api.patch(f"/api/tickets/{number}/", json={"status": RESOLVED}).raise_for_status()
    assert figure(installation, "rolecall_deliveries_total") == deliveries
    return {f"django-helpdesk:{number}" for number in numbers}


def test_every_ticket_closed_in_bulk_or_by_patch_is_known_within_one_poll(
    installation: Installation, own_helpdesk: HelpdeskServer
) -> None:
    with serving(installation, own_helpdesk, POLL_SECONDS):
        installation.wait_until_idle(PATIENCE_SECONDS)
        before = closures(installation)
        closed = close_without_a_webhook(installation, own_helpdesk)
        one_poll(installation)
        assert closed <= known_as_closed(installation)
        one_poll(installation)
        assert closures(installation) - before == len(closed)


def test_without_the_poll_they_stay_unknown(installation: Installation, own_helpdesk: HelpdeskServer) -> None:
    """Control."""
    with serving(installation, own_helpdesk, NEVER_SECONDS):
        closed = close_without_a_webhook(installation, own_helpdesk)
        time.sleep(4 * POLL_SECONDS)
        assert closed & known_as_closed(installation) == set()
