"""What is written on a real django-helpdesk: people talk and close in its own form, the server is killed in between."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from agent.demo.helpdesk import HelpdeskServer, HelpdeskUnavailable, ensure_environment
from agent.demo.staff import REOPENED, RESOLVED, Staff
from tests.patience import PATIENCE_SECONDS
from tests.proofs.gateway import Gateway, Moment
from tests.proofs.servers.beside import ROLES, Beside, until
from tests.proofs.servers.writing import (
    FIRST,
    Killed,
    Ours,
    Reviewer,
    a_change_is_whole_and_restored_though_killed,
    a_conversation_ends_in_one_note_that_follows,
    a_draft_is_accepted_once_and_a_subject_renamed_and_restored,
    a_text_is_put_in_order_and_restored,
    notes,
    talk_and_close,
    what_a_person_changed_meanwhile_stands,
)
from tests.servers.browser import signed_in

SECRET = "a-secret-for-proofs-only"


class Connected(Beside):
    """Rolecall beside this helpdesk, which it reaches through a gateway."""

    def connect(self, helpdesk: HelpdeskServer, url: str, closure: str) -> None:
        queues = {str(number): slug for slug, number in helpdesk.queues.items()}
        staff = [str(helpdesk.user_ids["tech"])]
        given = {"TOKEN": helpdesk.tokens["agent"], "WEBHOOK_SECRETS": SECRET}
        roles = ROLES.replace('"Network" }', '"NET" }').replace('"Electrician" }', '"ELE" }')
        table = {"kind": "django-helpdesk", "url": url, "queues": queues, "staff": staff}
        self.configure(table, given, roles)
        with (self.folder / "agent.toml").open("a") as settings:
            settings.write(f'[writing]\nclosure = "{closure}"\n')


@dataclass
class Talked:
    """This helpdesk: tickets are filed over its API, all else is typed into its form."""

    helpdesk: HelpdeskServer
    tech: Staff
    browser: httpx.Client

    def file(self, subject: str, text: str) -> str:
        return str(self.tech.file(self.helpdesk.queues["WO"], subject, text))

    def say(self, number: str, text: str) -> None:
        self._send(number, comment=text, public="1")

    def close(self, number: str) -> None:
        self._send(number, new_status=str(RESOLVED))

    def reopen(self, number: str) -> None:
        self._send(number, new_status=str(REOPENED))

    def closed(self, number: str) -> bool:
        return bool(self._row(number)["status"] == RESOLVED)

    def named(self, number: str) -> str:
        return str(self._row(number)["title"])

    def text(self, number: str) -> str:
        return str(self._row(number)["description"])

    def rewrite(self, number: str, text: str) -> None:
        self._patch(number, description=text)

    def rename(self, number: str, subject: str) -> None:
        self._patch(number, title=subject)

    def _patch(self, number: str, **changed: str) -> None:
        headers = {"Authorization": f"Token {self.helpdesk.tokens['tech']}"}
        address = f"{self.helpdesk.url}/api/tickets/{number}/"
        httpx.patch(address, headers=headers, json=changed, timeout=60, trust_env=False).raise_for_status()

    def ours(self, number: str) -> list[Ours]:
        agent = self.helpdesk.user_ids["agent"]
        return [Ours(each.text, not each.public) for each in self.tech.comments(int(number)) if each.author == agent]

    def _row(self, number: str) -> dict[str, object]:
        headers = {"Authorization": f"Token {self.helpdesk.tokens['tech']}"}
        address = f"{self.helpdesk.url}/api/tickets/{number}/"
        row: dict[str, object] = httpx.get(address, headers=headers, timeout=60, trust_env=False).json()
        return row

    def _send(self, number: str, **fields: str) -> None:
        """Send the form below a ticket, with what it shows of the ticket."""
        row = self._row(number)
        shown = {name: str(row[name]) for name in ("title", "priority", "queue")} | {"new_status": str(row["status"])}
        answer = self.browser.post(f"/tickets/{number}/update/", data={"owner": "-1", "comment": ""} | shown | fields)
        assert answer.status_code == 302, answer.text


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    with Connected(tmp_path_factory.mktemp("writing"), Path(), Path()) as installation:
        yield installation


@pytest.fixture(scope="module")
def own_helpdesk(connected: Connected, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HelpdeskServer]:
    try:
        python = ensure_environment()
    except HelpdeskUnavailable as error:
        pytest.skip(f"no real helpdesk here: {error}")
    hook = f"{connected.url}/hooks/plant/{SECRET}"
    with HelpdeskServer(python, tmp_path_factory.mktemp("helpdesk"), hook) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(own_helpdesk: HelpdeskServer) -> Iterator[Gateway]:
    with Gateway(own_helpdesk.url) as running:
        yield running


@pytest.fixture(scope="module")
def talked(own_helpdesk: HelpdeskServer) -> Iterator[Talked]:
    with Staff(own_helpdesk.url, own_helpdesk.tokens["tech"]) as tech, signed_in(own_helpdesk) as browser:
        yield Talked(own_helpdesk, tech, browser)


@pytest.fixture
def serving(connected: Connected, own_helpdesk: HelpdeskServer, gateway: Gateway) -> Iterator[Connected]:
    connected.connect(own_helpdesk, gateway.url, "note")
    connected.start()
    yield connected
    connected.stop()


def test_a_ticket_closed_in_the_form_has_one_note_that_follows_when_it_is_closed_again(
    serving: Connected, talked: Talked
) -> None:
    """The server is killed right after each closure."""
    a_conversation_ends_in_one_note_that_follows(talked, serving, serving.again)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("said", "method"), [("The vpn breaks off.", "PATCH"), ("It drips since Monday.", "POST")])
def test_killed_around_the_writing_of_the_note_it_is_there_once(
    serving: Connected, talked: Talked, gateway: Gateway, said: str, method: str, moment: Moment
) -> None:
    """In a comment that is there already, and in a new one on a ticket of which Rolecall had nothing to say."""
    number = talked.file("A ticket", said)
    serving.wait_until_idle(PATIENCE_SECONDS)
    assert len(talked.ours(number)) == (1 if method == "PATCH" else 0)
    gateway.strike(serving.pid, moment, lambda what: what.startswith(f"{method} /api/followups/"))
    talk_and_close(talked, number, FIRST)
    assert gateway.struck.wait(PATIENCE_SECONDS)
    serving.gone()
    assert len(notes(talked, number)) == (1 if moment == "after" else 0)
    serving.start()
    until(lambda: bool(notes(talked, number)), "a note although killed")
    serving.wait_until_idle(PATIENCE_SECONDS)
    (note,) = talked.ours(number)
    assert "I renewed the certificate" in note.text
    assert note.staff_only


def test_a_draft_is_accepted_and_a_subject_and_a_text_changed_and_restored_on_the_page(
    connected: Connected, own_helpdesk: HelpdeskServer, gateway: Gateway, talked: Talked
) -> None:
    connected.connect(own_helpdesk, gateway.url, "draft")
    connected.start()
    with contextlib.closing(Reviewer(connected)) as person:
        a_draft_is_accepted_once_and_a_subject_renamed_and_restored(talked, connected, person, "plant")
        a_text_is_put_in_order_and_restored(talked, person, "plant")
    connected.stop()


@pytest.fixture
def killed(connected: Connected, own_helpdesk: HelpdeskServer, gateway: Gateway) -> Iterator[Killed]:
    connected.connect(own_helpdesk, gateway.url, "draft")
    connected.start()
    gateway.requests.clear()
    with contextlib.closing(Reviewer(connected, f"kim{secrets.token_hex(3)}")) as person:
        yield Killed(connected, person, gateway, lambda what, number: what == f"PATCH /api/tickets/{number}/")
    connected.stop()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", ["subjects", "descriptions"])
def test_killed_around_a_change_of_subject_or_text_it_is_whole_and_can_be_restored(
    killed: Killed, talked: Talked, kind: str, moment: Moment
) -> None:
    there = talked.named if kind == "subjects" else talked.text
    a_change_is_whole_and_restored_though_killed(talked, killed, kind, moment, there)


def test_killed_after_a_change_of_subject_what_a_person_changed_meanwhile_stands(
    killed: Killed, talked: Talked
) -> None:
    what_a_person_changed_meanwhile_stands(talked, killed, talked.rename)
