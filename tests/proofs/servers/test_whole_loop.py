"""The server as it is installed, beside a real helpdesk: killed, attacked, and still one comment per ticket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agent.demo.helpdesk import HelpdeskServer, HelpdeskUnavailable, ensure_environment
from agent.demo.installation import Installation
from agent.demo.staff import Staff

CONFIG = Path(__file__).parents[3] / "config"
TEXTS = ["replace radiator cap", "bucket teeth worn", "no grease at boom pivot", "cab door handle broken"]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("whole-loop")
    with Installation(folder / "rolecall", CONFIG / "rules.toml", CONFIG / "roles.toml") as installation:
        yield installation


@pytest.fixture(scope="module")
def own_helpdesk(installation: Installation) -> Iterator[HelpdeskServer]:
    try:
        python = ensure_environment()
    except HelpdeskUnavailable as error:
        pytest.skip(f"no real helpdesk here: {error}")
    with HelpdeskServer(python, installation.folder.parent / "helpdesk", installation.webhook_url) as running:
        installation.configure(running, triage={"silent_below": 0.1}, work={"poll_seconds": 2, "settle_seconds": 1})
        yield running


@pytest.fixture
def serving(installation: Installation, own_helpdesk: HelpdeskServer) -> Iterator[Installation]:
    installation.start()
    yield installation
    installation.stop()


@pytest.fixture
def tech(own_helpdesk: HelpdeskServer) -> Iterator[Staff]:
    with Staff(own_helpdesk.url, own_helpdesk.tokens["tech"]) as tech:
        yield tech


def ours(own_helpdesk: HelpdeskServer, tech: Staff, ticket: int) -> list[str]:
    agent = own_helpdesk.user_ids["agent"]
    return [c.text for c in tech.comments(ticket) if c.author == agent]


def test_check_reaches_the_helpdesk_and_says_that_rules_alone_decide(
    installation: Installation, own_helpdesk: HelpdeskServer
) -> None:
    printed = installation.run("check")
    assert f"django-helpdesk at {own_helpdesk.url}" in printed
    assert "model: none yet: rules and similar tickets decide" in printed


def test_after_kill_9_between_tickets_each_has_exactly_one_staff_comment(
    serving: Installation, own_helpdesk: HelpdeskServer, tech: Staff
) -> None:
    queue = own_helpdesk.queues["WO"]
    numbers = []
    for text in TEXTS:
        numbers.append(tech.file(queue, text, text))
        serving.kill()
        serving.start()
    serving.wait_until_idle(60)
    for number in numbers:
        agent = own_helpdesk.user_ids["agent"]
        (comment,) = [c for c in tech.comments(number) if c.author == agent]
        assert comment.text.startswith("**Role: ")
        assert not comment.public


def test_a_ticket_that_is_filed_while_the_server_is_down_is_found_by_the_poll(
    serving: Installation, own_helpdesk: HelpdeskServer, tech: Staff
) -> None:
    serving.stop()
    with pytest.raises(httpx.HTTPStatusError):  # the helpdesk tells the person who files that something broke
        tech.file(own_helpdesk.queues["WO"], "bucket lip changeout", "bucket lip changeout")
    with httpx.Client(
        base_url=own_helpdesk.url, headers={"Authorization": f"Token {own_helpdesk.tokens['tech']}"}
    ) as api:
        number = api.get("/api/tickets/", params={"page": "last", "page_size": 1}).json()["results"][0]["id"]
    serving.start()
    deadline = time.monotonic() + 60
    while not ours(own_helpdesk, tech, number) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(ours(own_helpdesk, tech, number)) == 1


HOSTILE = {
    "a 20 MB body": (b"x" * 20_000_000, 413),
    "invalid JSON": (b"{", 400),
    "wrong types": (b'{"ticket": {"id": [], "title": 7}, "queue_slug": {}}', 400),
    "deep nesting": (b"[" * 200_000, 400),
    "binary": (bytes(range(256)) * 50, 400),
    "no body": (b"", 400),
}


@pytest.mark.parametrize(("body", "status"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_posts_get_a_4xx_with_a_one_line_reason(serving: Installation, body: bytes, status: int) -> None:
    before = (serving.state() or {})["events"]
    answer = httpx.post(serving.webhook_url, content=body)
    assert answer.status_code == status
    assert answer.text.strip()
    assert answer.text.count("\n") == 1
    assert (serving.state() or {})["events"] == before
    assert (
        f'rolecall_deliveries_total{{source="django-helpdesk",status="{status}"}}'
        in httpx.get(f"{serving.url}/metrics").text
    )


def test_a_wrong_secret_is_refused_and_the_log_holds_neither_secret_nor_text(
    serving: Installation, own_helpdesk: HelpdeskServer, tech: Staff
) -> None:
    answer = httpx.post(f"{serving.url}/hooks/django-helpdesk/not-the-secret-at-all", content=b"{}")
    assert (answer.status_code, answer.text) == (401, "not authentic\n")
    tech.file(own_helpdesk.queues["WO"], "zebra-stripe paint", "zebra-stripe paint")
    serving.wait_until_idle(60)
    log = serving.log.read_text()
    assert "delivery" in log
    secret = serving.webhook_url.rpartition("/")[2]
    for word in (secret, own_helpdesk.tokens["agent"], "zebra", "not-the-secret"):
        assert word not in log


def test_a_second_server_on_the_same_data_is_refused(serving: Installation) -> None:
    with pytest.raises(Exception, match="another server runs on"):
        serving.run("serve", "--port", "0")


FIXES = ["Pressed the cap's new seal in and topped up the coolant.", "I welded two new teeth on the bucket."]
KILLED_AFTER = (0.0, 0.05, 0.15, 0.4)
"""Seconds from the closure to the kill."""


def closed_note(own_helpdesk: HelpdeskServer, tech: Staff, number: int, fix: str) -> list[str]:
    """Return our comments on a ticket once one of them shows the fix; what there is after a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = [text.replace("\u2060", "").replace("\\", "") for text in ours(own_helpdesk, tech, number)]
        if any(f"**Fix:** “{fix}”" in text for text in found):
            break
        time.sleep(0.2)
    return found


@pytest.mark.parametrize("seconds", KILLED_AFTER)
def test_a_closed_ticket_says_once_how_it_was_solved_although_the_server_was_killed(
    serving: Installation, own_helpdesk: HelpdeskServer, tech: Staff, seconds: float
) -> None:
    number = tech.file(own_helpdesk.queues["WO"], TEXTS[0], "The radiator cap leaks since Monday.")
    serving.wait_until_idle(60)
    tech.reply(number, "The seal of the cap was worn.")
    tech.close(number, FIXES[0])
    time.sleep(seconds)
    serving.kill()
    serving.start()
    serving.wait_until_idle(60)
    (said,) = closed_note(own_helpdesk, tech, number, FIXES[0])
    assert "“The seal of the cap was worn.”" in said
    (comment,) = [c for c in tech.comments(number) if c.author == own_helpdesk.user_ids["agent"]]
    assert not comment.public


def test_reopened_and_closed_again_the_note_is_brought_up_to_date(
    serving: Installation, own_helpdesk: HelpdeskServer, tech: Staff
) -> None:
    number = tech.file(own_helpdesk.queues["WO"], TEXTS[1], "The bucket loses material.")
    tech.close(number, "I tightened the bolts of the bucket.")
    serving.wait_until_idle(60)
    tech.reopen(number, "It is still the same, material falls out.")
    tech.close(number, FIXES[1])
    serving.wait_until_idle(60)
    (said,) = closed_note(own_helpdesk, tech, number, FIXES[1])
    assert "**Tried before:** “I tightened the bolts of the bucket.”" in said
