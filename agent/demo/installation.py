"""A complete Rolecall beside a helpdesk: its settings file, its commands, and its server as a process of its own."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from agent.demo.helpdesk import HelpdeskServer
from agent.demo.processes import end
from agent.errors import NotPossibleYet
from agent.first_day.proposal import table

START_SECONDS = 240.0
STOP_SECONDS = 30.0


class Installation:
    """Settings and data under one folder; `run` a command, `start` and `stop` the server."""

    def __init__(self, folder: Path, rules: Path, roles: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.log = folder / "server.log"
        self._rules, self._roles = rules.resolve(), roles.resolve()
        self._secret = secrets.token_urlsafe(24)
        self._environment: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhook_url(self) -> str:
        """Where the helpdesk has to send its webhooks."""
        return f"{self.url}/hooks/django-helpdesk/{self._secret}"

    def configure(self, helpdesk: HelpdeskServer, account: str = "agent", **tables: Mapping[str, Any]) -> None:
        """Write the settings that connect to this helpdesk; `tables` are further tables of the settings file.

        `account` is the name of the helpdesk user that Rolecall comments as. The token and the webhook's secret go into
        the environment of the processes, not into the file.
        """
        queues = {str(number): slug for slug, number in helpdesk.queues.items()}
        staff = [str(helpdesk.user_ids[name]) for name in helpdesk.tokens if name != account]
        connector = {"url": helpdesk.url, "queues": queues, "staff": staff}
        lines = [f"rules = {json.dumps(str(self._rules))}", f"roles = {json.dumps(str(self._roles))}"]
        for name, values in {**tables, "connectors.django-helpdesk": connector}.items():
            lines.append(table(name, values))
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "agent.toml").write_text("\n".join(lines) + "\n", "utf-8")
        self._environment = {
            "ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN": helpdesk.tokens[account],
            "ROLECALL_CONNECTORS__DJANGO_HELPDESK__WEBHOOK_SECRETS": json.dumps([self._secret]),
        }

    def secrets(self) -> Mapping[str, str]:
        """Return the environment variables with the secrets, which the settings file leaves out."""
        return self._environment

    def command(self, *words: str) -> list[str]:
        """Return the full command line of a `rolecall` command on this installation."""
        places = ["--config", str(self.folder / "agent.toml"), "--data", str(self.folder / "data")]
        return [sys.executable, "-m", "agent.cli", *words, *places]

    def run(self, *words: str) -> str:
        """Run a command to its end and return what it printed. Raises NotPossibleYet with its output if it fails."""
        done = subprocess.run(  # noqa: S603 - our own command
            self.command(*words), env=os.environ | self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise NotPossibleYet(f"`rolecall {' '.join(words)}` failed:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self.command("serve", "--host", "127.0.0.1", "--port", str(self.port)),
                env=os.environ | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while self.state() is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                end = "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-10:])
                raise NotPossibleYet(f"the server did not start:\n{end}")
            time.sleep(0.1)

    def state(self) -> dict[str, Any] | None:
        """Return what `/readyz` says, or None while nobody answers."""
        try:
            state: dict[str, Any] = httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).json()
        except httpx.TransportError:
            return None
        return state

    def wait_until_idle(self, seconds: float) -> None:
        """Wait until every accepted event is processed. Raises NotPossibleYet after `seconds`."""
        deadline = time.monotonic() + seconds
        while (state := self.state()) is None or {"waiting", "working"} & state["events"].keys():
            if time.monotonic() > deadline:
                raise NotPossibleYet(f"the server is not done after {seconds:.0f} s: {state}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End the server as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End the server as an operator would; harmless when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            end(process, STOP_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
