"""Rolecall beside a real system that this machine has: its roles, rules and settings, and how one waits for both."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from agent.demo.installation import Installation
from tests.patience import PATIENCE_SECONDS

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
            f"[work]\npoll_seconds = {poll_seconds}\nsettle_seconds = 1\n[connectors.{self.connector}]\n"
            + "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())
        )
        self._environment = {
            f"ROLECALL_CONNECTORS__{self.connector.upper()}__{name}": value for name, value in secrets.items()
        }

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
