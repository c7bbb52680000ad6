"""A whole Rolecall on a folder of its own, every process of which records what ran in it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.proofs.bench.ways_corpus import orders, write_history
from tests.proofs.bench.ways_desk import AGENT, QUEUE, QUEUE_SLUG, STAFF, WaysDesk
from tests.proofs.bench.ways_records import Records

TREE = Path(__file__).parents[3]
SECRET, API_KEY = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Installation:
    """A Rolecall on a folder of its own, whose processes all record."""

    folder: Path
    records: Records
    trainer: str

    def configure(self, desk: WaysDesk, nightly_at: str) -> None:
        """Write the settings file."""
        tables: dict[str, dict[str, Any]] = {
            "learning": {"nightly_at": nightly_at, "trainer": self.trainer, "threads": 1},
            "work": {"poll_seconds": 3600.0, "settle_seconds": 1.0},
            "triage": {"silent_below": 0.05},
            "intake": {"min_free_bytes": 0},
            "connectors.django-helpdesk": {
                "url": desk.url,
                "token": "a-token",
                "author_id": str(AGENT),
                "staff": [str(STAFF)],
                "webhook_secrets": [SECRET],
            },
        }
        lines = [f"{name} = {json.dumps(str(TREE / 'config' / f'{name}.toml'))}" for name in ("rules", "roles")]
        for name, table in tables.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
            if name.startswith("connectors"):
                lines.append(f'queues = {{ {QUEUE} = "{QUEUE_SLUG}" }}')
        (self.folder / "agent.toml").write_text("\n".join(lines) + "\n", "utf-8")

    def command(self, *words: str) -> list[str]:
        """Return the command line of a `rolecall` command."""
        places = ["--config", str(self.folder / "agent.toml"), "--data", str(self.folder / "data")]
        return [sys.executable, "-m", "agent.cli", *words, *places]

    def environment(self) -> dict[str, str]:
        """Return the variables of a process: no settings but ours."""
        given = {name: value for name, value in os.environ.items() if not name.startswith("ROLECALL_")}
        return given | {"API_KEY": API_KEY, "OMP_NUM_THREADS": "1"} | self.records.environment()

    def run(self, *words: str) -> None:
        """Run a command to its end."""
        done = subprocess.run(self.command(*words), cwd=TREE, env=self.environment(), capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        print(f"rolecall {' '.join(words[:1])}: {done.stderr.strip().splitlines()[-1]}", flush=True)

    def import_(self, first: int, count: int) -> None:
        """Take in reviewed tickets."""
        file = self.folder / f"from-{first}.jsonl"
        write_history(file, orders()[first : first + count], first)
        self.run("import", str(file))

    @contextmanager
    def serving(self) -> Iterator[httpx.Client]:
        """Run the server and yield a client of it once it is ready."""
        port = free_port()
        with (self.folder / "server.log").open("ab") as log:
            process = subprocess.Popen(
                self.command("serve", "--port", str(port)), cwd=TREE, env=self.environment(), stdout=log, stderr=log
            )
        try:
            headers = {"X-API-Key": API_KEY}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as client:
                wait_for(lambda: idle(client), "the server", self.folder / "server.log")
                yield client
        finally:
            process.terminate()
            process.wait(60)

    @property
    def active(self) -> Path:
        """The pointer to the model that answers tickets."""
        return self.folder / "data" / "models" / "ACTIVE"


def idle(client: httpx.Client) -> bool:
    """Return whether the server is ready and every accepted event is done."""
    try:
        state = client.get("/readyz").json()
    except httpx.TransportError:
        return False
    return state["status"] == "ready" and not {"waiting", "working"} & state["events"].keys()


def wait_for(there: Callable[[], object], what: str, log: Path | None = None, seconds: float = 0.1) -> None:
    """Look again and again, and fail with the end of the log when it takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not there():
        assert time.monotonic() < deadline, f"{what} did not come: {log.read_text()[-3000:] if log else ''}"
        time.sleep(seconds)


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
