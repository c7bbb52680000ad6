"""What is written on a real Request Tracker, which can neither edit a comment nor tell us one of its own."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from tests.proofs.gateway import Gateway
from tests.proofs.servers.request_tracker.test_request_tracker import (
    Connected,
    Server,
    connected,
    gateway,
    pytestmark,
    server,
)
from tests.proofs.servers.writing import Ours, Reviewer, a_draft_is_accepted_once_and_a_subject_renamed_and_restored

__all__ = ["connected", "gateway", "pytestmark", "server"]


@dataclass
class Talked:
    """This Request Tracker, with what its account `mover` wrote."""

    server: Server

    def file(self, subject: str, text: str) -> str:
        return self.server.file(subject, text)

    def say(self, number: str, text: str) -> None:
        self.server.say(number, text)

    def close(self, number: str) -> None:
        self.server.ask("PUT", f"ticket/{number}", Status="resolved")

    def reopen(self, number: str) -> None:
        self.server.ask("PUT", f"ticket/{number}", Status="open")

    def closed(self, number: str) -> bool:
        return bool(self.server.ask("GET", f"ticket/{number}")["Status"] == "resolved")

    def named(self, number: str) -> str:
        return str(self.server.ask("GET", f"ticket/{number}")["Subject"])

    def text(self, number: str) -> str:
        raise NotImplementedError  # it is the first message, which stays

    def rewrite(self, number: str, text: str) -> None:
        raise NotImplementedError  # likewise

    def ours(self, number: str) -> list[Ours]:
        return [Ours(text, kind == "Comment") for kind, text in self.server.ours(number, "mover")]


def test_a_draft_is_accepted_and_a_subject_renamed_and_restored_on_the_page(
    server: Server, connected: Connected, gateway: Gateway
) -> None:
    connected.connect(gateway.url, server.tokens["mover"])
    with (connected.folder / "agent.toml").open("a") as settings:
        settings.write('[writing]\nclosure = "draft"\n')
    connected.start()
    with contextlib.closing(Reviewer(connected)) as person:
        a_draft_is_accepted_once_and_a_subject_renamed_and_restored(Talked(server), connected, person, "rt")
