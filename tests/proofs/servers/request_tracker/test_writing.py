"""What is written on a real Request Tracker is accepted, renamed and restored on the pages."""

from __future__ import annotations

import contextlib
import html
import re

import httpx

from tests.proofs.gateway import Gateway
from tests.proofs.servers.beside import until
from tests.proofs.servers.request_tracker.test_request_tracker import (
    Connected,
    Server,
    connected,
    gateway,
    pytestmark,
    server,
)

__all__ = ["connected", "gateway", "pytestmark", "server"]


class Reviewer:
    """Somebody with an account, in front of the pages."""

    def __init__(self, connected: Connected) -> None:
        link = re.search(r"/sign-in/\S+", connected.run("users", "add", "kim"))
        assert link
        self._pages = httpx.Client(base_url=connected.url, trust_env=False, timeout=60, follow_redirects=True)
        self.say(link[0], link[0], password="correct horse battery", again="correct horse battery")

    def close(self) -> None:
        self._pages.close()

    def see(self, page: str) -> str:
        return self._pages.get(page).raise_for_status().text

    def say(self, page: str, form: str, **fields: str) -> None:
        """Send a form of a page, with what it repeats of it."""
        there = self.see(page)
        token = re.search(r'name="form" value="(\w+)"', there)
        asked = re.search(rf'<form[^>]*action="{form}".*?name="seen" value="([^"]*)"', there, re.DOTALL)
        seen = {"seen": html.unescape(asked[1])} if asked else {}
        assert token
        self._pages.post(form, data={"form": token[1]} | seen | fields).raise_for_status()


def test_a_draft_is_accepted_and_a_subject_renamed_and_restored_on_the_page(
    server: Server, connected: Connected, gateway: Gateway
) -> None:
    connected.connect(gateway.url, server.tokens["mover"])
    with (connected.folder / "agent.toml").open("a") as settings:
        settings.write('[writing]\nclosure = "draft"\n')
    connected.start()
    given = {"Queue": "Work orders", "Subject": "help", "Requestor": "customer@example.test"}
    content = "The vpn client cannot connect to the plant since Monday."
    number = str(server.ask("POST", "ticket", **given, Content=content, ContentType="text/plain")["id"])
    until(lambda: len(server.ours(number, "mover")) == 1, "a note on the ticket")
    page, subject, notes = (f"/{what}/rt/{number}" for what in ("tickets", "subjects", "notes"))

    def named() -> str:
        return str(server.ask("GET", f"ticket/{number}")["Subject"])

    with contextlib.closing(Reviewer(connected)) as person:
        person.say(page, subject, do="accept")
        until(lambda: named() == content.removesuffix("."), "the subject that was accepted")
        person.say(page, subject, do="restore")
        until(lambda: named() == "help", "the original subject")

        server.say(number, "I restarted the vpn client.")
        server.say(number, "That did not help.")
        server.say(number, "The certificate of the gateway had expired. I renewed the certificate.")
        server.ask("PUT", f"ticket/{number}", Status="resolved")
        until(lambda: "A draft of" in person.see(page), "the draft on the page")
        assert all("How it was solved" not in text for _, text in server.ours(number, "mover"))
        person.say(page, notes, do="accepted")
        until(lambda: "I renewed the certificate" in server.ours(number, "mover")[-1][1], "the note that was accepted")
    connected.wait_until_idle(60)
    shown = [kind for kind, text in server.ours(number, "mover") if "How it was solved" in text]
    assert shown == ["Comment"]
    assert server.ask("GET", f"ticket/{number}")["Status"] == "resolved", "our note reopens nothing"
