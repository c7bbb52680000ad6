"""An installation as its operator has it: a folder, the command `rolecall`, the server, and the SQLite file."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.processes import free_port

HOOK = "/hooks/django-helpdesk/webhook-secret-of-the-invented-desk"
ADDRESS_OF_THE_DESK = "http://127.0.0.1:8099"
"""What stands in the fixture's agent.toml; the one that stands in has another port every time."""


@dataclass(frozen=True)
class Installation:
    """Settings in `folder`/config, secrets in `folder`/.env, data in `folder`/data; `rolecall` is the command."""

    folder: Path
    rolecall: Path

    def run(self, *words: str) -> str:
        """Run a command to its end and return what it printed; AssertionError where it fails."""
        done = subprocess.run(
            [self.rolecall, *words], cwd=self.folder, env=_environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, f"rolecall {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def serving(self, **environment: str) -> Iterator[httpx.Client]:
        """Run the server for the length of a block, and yield a client of it."""
        port, log = free_port(), self.folder / "server.log"
        with log.open("ab") as output:
            server = subprocess.Popen(
                [self.rolecall, "serve", "--port", str(port)],
                cwd=self.folder,
                env=_environment() | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        with server, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            try:
                until(lambda: server.poll() is not None or _ready(client), 60)
                assert server.poll() is None, log.read_text("utf-8")[-3000:]
                yield client
            finally:
                server.terminate()
                server.wait(30)

    @property
    def database(self) -> Path:
        return self.folder / "data/rolecall.sqlite3"

    def select(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql, values).fetchall()

    def connect(self, address: str) -> None:
        """Put the address of the helpdesk that stands in into the settings file."""
        file = self.folder / "config/agent.toml"
        file.write_text(file.read_text("utf-8").replace(ADDRESS_OF_THE_DESK, address), "utf-8")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("ROLECALL_", "API_KEY"))}


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def until(condition: Any, seconds: float) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not after {seconds:.0f} s"
        time.sleep(0.05)


def deliver(client: httpx.Client, *bodies: Mapping[str, Any]) -> None:
    """Send webhooks and wait until all that was accepted is worked off."""
    for body in bodies:
        answer = client.post(HOOK, json=body)
        assert answer.status_code == 202, answer.text
    idle(client)


def idle(client: httpx.Client) -> None:
    """Wait until nothing waits and nothing is in hand."""
    until(lambda: not {"waiting", "working"} & client.get("/readyz").json()["events"].keys(), 60)


def opinion(installation: Installation, number: int) -> Mapping[str, Any]:
    """Return the latest decision on a ticket of the helpdesk."""
    sql = "SELECT outcome, roles, detail, model_version FROM decision WHERE ticket_key = ? ORDER BY id DESC"
    outcome, roles, detail, version = installation.select(sql, f"django-helpdesk:{number}")[0]
    return {
        "outcome": outcome,
        "roles": json.loads(roles),
        "probabilities": json.loads(detail)["probabilities"],
        "model": version,
    }
