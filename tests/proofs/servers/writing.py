"""What is proved of writing on every real system: a conversation becomes one note for staff, a draft waits, a subject.

A system tells here what people do in it and what our account wrote; the stories are the same for all.
"""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx

from agent.demo.installation import Installation
from tests.patience import PATIENCE_SECONDS
from tests.proofs.gateway import Gateway, Moment
from tests.proofs.servers.beside import Beside, until

HEAD = "How it was solved"
FIRST = (
    "I restarted the vpn client.",
    "That did not help, it still breaks off.",
    "The certificate of the gateway had expired. I renewed the certificate.",
)
SECOND = ("It breaks off again.", "A cable behind the gateway was loose. I replaced the cable.")


@dataclass(frozen=True, slots=True)
class Ours:
    """Something that our account wrote on a ticket."""

    text: str
    staff_only: bool


class Talked(Protocol):
    """A system in which people talk on tickets."""

    def file(self, subject: str, text: str) -> str: ...
    def say(self, number: str, text: str) -> None: ...
    def close(self, number: str) -> None: ...
    def reopen(self, number: str) -> None: ...
    def closed(self, number: str) -> bool: ...
    def named(self, number: str) -> str: ...
    def text(self, number: str) -> str: ...
    def rewrite(self, number: str, text: str) -> None: ...
    def ours(self, number: str) -> Sequence[Ours]: ...


class Reviewer:
    """Somebody with an account, in front of the pages."""

    def __init__(self, beside: Installation, name: str = "kim") -> None:
        link = re.search(r"/sign-in/\S+", beside.run("users", "add", name))
        assert link
        self._pages = httpx.Client(base_url=beside.url, trust_env=False, timeout=60, follow_redirects=True)
        self.say(link[0], link[0], password="correct horse battery", again="correct horse battery")

    def close(self) -> None:
        self._pages.close()

    def see(self, page: str) -> str:
        return self.look(page, missing=False)

    def look(self, page: str, *, missing: bool = True) -> str:
        """Return a page; that of a ticket which is not known yet only where it may be missing."""
        answer = self._pages.get(page)
        return answer.text if missing and answer.status_code == 404 else answer.raise_for_status().text

    def say(self, page: str, form: str, **fields: str) -> None:
        """Send a form of a page, with what it repeats of it."""
        there = self.see(page)
        token = re.search(r'name="form" value="(\w+)"', there)
        asked = re.search(rf'<form[^>]*action="{form}".*?name="seen" value="([^"]*)"', there, re.DOTALL)
        seen = {"seen": html.unescape(asked[1])} if asked else {}
        assert token
        self._pages.post(form, data={"form": token[1]} | seen | fields).raise_for_status()


def plain(text: str) -> str:
    """Return what a reader sees, whatever the system's markup."""
    return re.sub("[\u2060\\\\*]", "", text)


def notes(system: Talked, number: str) -> list[Ours]:
    """Return what our account wrote there of how the ticket was solved."""
    return [each for each in system.ours(number) if HEAD in each.text]


def talk_and_close(system: Talked, number: str, said: Sequence[str]) -> None:
    for text in said:
        system.say(number, text)
    system.close(number)


def a_conversation_ends_in_one_note_that_follows(
    system: Talked, beside: Installation, interrupt: Callable[[], None], *, edits: bool = True
) -> None:
    """Close a ticket, and reopened once more; `interrupt` is done right after each closure. One note is there."""
    number = system.file("vpn breaks off every hour", "The vpn to the plant breaks off every hour.")
    until(lambda: len(system.ours(number)) == 1, "a note on the ticket")
    talk_and_close(system, number, FIRST)
    interrupt()
    until(lambda: bool(notes(system, number)), "the note says how it was solved")
    beside.wait_until_idle(60)
    (note,) = notes(system, number)
    assert note.staff_only
    fix = next(line for line in plain(note.text).splitlines() if line.startswith("Fix:"))
    assert "I renewed the certificate" in fix
    assert "restarted" not in fix
    assert system.closed(number), "our note reopens nothing"

    system.reopen(number)
    talk_and_close(system, number, SECOND)
    interrupt()
    until(lambda: "I replaced the cable" in plain(system.ours(number)[-1].text), "the note follows")
    beside.wait_until_idle(60)
    assert len(notes(system, number)) == (1 if edits else 2)
    assert all(each.staff_only for each in system.ours(number))
    assert system.closed(number)


def a_draft_is_accepted_once_and_a_subject_renamed_and_restored(
    system: Talked, beside: Installation, person: Reviewer, connector: str
) -> None:
    """All with one click each, on the ticket's page."""
    content = "The vpn client cannot connect to the plant since Monday."
    number = system.file("help", content)
    until(lambda: len(system.ours(number)) == 1, "a note on the ticket")
    page, subject, note = (f"/{what}/{connector}/{number}" for what in ("tickets", "subjects", "notes"))

    person.say(page, subject, do="accept")
    until(lambda: system.named(number) == content.removesuffix("."), "the subject that was accepted")
    person.say(page, subject, do="restore")
    until(lambda: system.named(number) == "help", "the original subject")

    talk_and_close(system, number, FIRST)
    until(lambda: "A draft of" in person.see(page), "the draft on the page")
    assert notes(system, number) == []
    person.say(page, note, do="accepted")
    until(lambda: "I renewed the certificate" in plain(system.ours(number)[-1].text), "the note that was accepted")
    beside.wait_until_idle(60)
    (shown,) = notes(system, number)
    assert shown.staff_only
    assert system.closed(number), "our note reopens nothing"


def a_text_is_put_in_order_and_restored(system: Talked, person: Reviewer, connector: str) -> None:
    """With one click each, and a third stands that a person made meanwhile."""
    text = "The vpn client cannot connect since Monday.\n\nIt says *error 809* at the plant  in Lyon."
    number = system.file("No vpn at the plant", text)
    page, form = f"/tickets/{connector}/{number}", f"/descriptions/{connector}/{number}"
    until(lambda: 'id="description-offer"' in person.look(page), "the offer on the page")

    def there() -> str:
        return system.text(number).replace("\r\n", "\n")  # Redmine keeps the line ends of Windows

    for _ in range(2):
        person.say(page, form, do="accept")
        until(lambda: there() != text, "the text in order")
        shown = there()
        assert shown.endswith(f"\n\n{text}")
        assert "What:" in plain(shown)
        assert "since Monday" in shown.removesuffix(text)
        person.say(page, form, do="restore")
        until(lambda: there() == text, "the text as it was written")
    system.rewrite(number, f"{text}\nSolved by itself.")
    person.say(page, form, do="accept")
    until(lambda: "a person has changed it" in person.see(page), "the page says why")
    assert there() == f"{text}\nSolved by itself."


@dataclass(frozen=True, slots=True)
class Killed:
    """A server that is killed around the request that changes a ticket; `changes` tells that request."""

    beside: Beside
    person: Reviewer
    gateway: Gateway
    changes: Callable[[str, str], bool]
    """Whether "METHOD /path" changes the ticket of this number."""

    def click(self, kind: str, number: str, do: str, moment: Moment) -> None:
        """Click on the ticket's page, and return when the server is gone."""
        connector = self.beside.connector
        self.gateway.strike(self.beside.pid, moment, lambda what: self.changes(what, number))
        with contextlib.suppress(httpx.TransportError):  # it may be gone before the page is there again
            self.person.say(f"/tickets/{connector}/{number}", f"/{kind}/{connector}/{number}", do=do)
        assert self.gateway.struck.wait(PATIENCE_SECONDS)
        self.beside.gone()

    def changed(self, number: str) -> int:
        """Return how many changes of a ticket reached its system."""
        return sum(self.changes(what, number) for what in self.gateway.requests)


def a_change_is_whole_and_restored_though_killed(
    system: Talked, killed: Killed, kind: str, moment: Moment, there: Callable[[str], str]
) -> None:
    """Each of accept and restore is killed once: `there` is as it was or as it was offered, and changed once each."""
    text = "The vpn client cannot connect since Monday.\n\nIt says *error 809* at the plant  in Lyon."
    number = system.file("help", text)
    until(lambda: len(system.ours(number)) == 1, "a note on the ticket")
    was = there(number)
    offered = _though_killed(killed, kind, number, "accept", moment, there)
    assert offered != was
    assert offered.endswith(f"\n\n{text}") if kind == "descriptions" else offered in text
    assert _though_killed(killed, kind, number, "restore", moment, there) == was
    assert killed.changed(number) == 2, "one change each reached the system"
    assert len(system.ours(number)) == 1


def _though_killed(killed: Killed, kind: str, number: str, do: str, moment: Moment, there: Callable[[str], str]) -> str:
    """Click, kill, start again; return what is there in the end, which is all that was ever there besides the old."""
    was = there(number)
    killed.click(kind, number, do, moment)
    between = there(number)
    assert (between == was) is (moment == "before")
    killed.beside.start()
    until(lambda: there(number) != was, f"{do} although killed")
    killed.beside.wait_until_idle(PATIENCE_SECONDS)
    assert between in (was, there(number)), "never half of it"
    return there(number)


def what_a_person_changed_meanwhile_stands(system: Talked, killed: Killed, rename: Callable[[str, str], None]) -> None:
    """The server is killed after its change; a person's later one is not taken for the old."""
    number = system.file("help", "The vpn client cannot connect to the plant since Monday.")
    until(lambda: len(system.ours(number)) == 1, "a note on the ticket")
    killed.click("subjects", number, "accept", "after")
    assert system.named(number) == "The vpn client cannot connect to the plant since Monday"
    rename(number, "Certificate of the gateway")
    killed.beside.start()
    killed.beside.wait_until_idle(PATIENCE_SECONDS)
    assert system.named(number) == "Certificate of the gateway"
    assert killed.changed(number) == 1
