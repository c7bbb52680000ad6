"""Rolecall beside a real system that this machine has: its roles, rules and settings, and how one waits for both."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sized
from typing import Any, TypeVar

import httpx

from agent.demo.installation import Installation
from agent.first_day import proposal
from tests.patience import PATIENCE_SECONDS

Number = TypeVar("Number")

ROLES = """
[[role]]
name = "Network"
groups = { plant = "Network" }
[[role]]
name = "Electrician"
groups = { plant = "Electrician" }
"""
RULES = """
[[rule]]
id = "vpn"
role = "Network"
keywords = ["vpn"]
weight = 3.0
"""


class Beside(Installation):
    """An installation with one connector."""

    connector = "plant"

    def configure(
        self, table: Mapping[str, Any], secrets: Mapping[str, str], roles: str = ROLES, poll_seconds: int = 1
    ) -> None:
        """Write the settings; `table` is the connector's."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "roles.toml").write_text(roles)
        (self.folder / "rules.toml").write_text(RULES)
        (self.folder / "agent.toml").write_text(
            'rules = "rules.toml"\nroles = "roles.toml"\n[triage]\nsilent_below = 0.1\n'
            f"[work]\npoll_seconds = {poll_seconds}\nsettle_seconds = 1\n"
            + proposal.table(f"connectors.{self.connector}", table)
        )
        self._environment = {
            f"ROLECALL_CONNECTORS__{self.connector.upper().replace('-', '_')}__{name}": value
            for name, value in secrets.items()
        }

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def gone(self) -> None:
        """Wait until the process that was killed is gone."""
        assert self._process is not None
        assert self._process.wait(60) == -9
        self._process = None

    def again(self) -> None:
        """End the server as a power cut would, and start it again."""
        self.kill()
        self.start()

    def noted_though_killed(self, file: Callable[[str], Number], ours: Callable[[Number], Sized]) -> list[Number]:
        """File two tickets, the server being killed after each, and wait until both have a note of ours."""
        numbers = []
        for text in ("vpn drops", "no vpn at the plant"):
            numbers.append(file(text))
            self.again()
        until(lambda: all(len(ours(number)) for number in numbers), f"a note on each of {numbers}")
        return numbers

    def reviews(self) -> int:
        """Return how many reviews are kept."""
        found = re.search(r"(\d+) reviews", self.run("connectors", "list"))
        return int(found[1]) if found else 0


def until(true: Callable[[], bool], what: str) -> float:
    """Wait until it is so, and return after how many seconds it was."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + PATIENCE_SECONDS, f"still not so: {what}"
        time.sleep(0.3)
    return time.monotonic() - began


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=30, trust_env=False).status_code < 500
    except httpx.TransportError:
        return False
