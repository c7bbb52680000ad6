"""A real django-helpdesk on this machine, for the demo and for tests: its environment, and one running server."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.demo.processes import end
from agent.errors import RolecallError

REQUIREMENT = "django-helpdesk==2.6.1"
SITE = Path(__file__).with_name("helpdesk_site.py")
START_SECONDS = 90.0
STOP_SECONDS = 10.0

Progress = Callable[[str], None]


class HelpdeskUnavailable(RolecallError):
    """The helpdesk cannot be installed or started; the message says what it answered."""


def default_cache_dir() -> Path:
    """Return the folder for what can be fetched again (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rolecall"


def ensure_environment(cache_dir: Path | None = None, progress: Progress = lambda line: None) -> Path:
    """Return the Python of an environment that has django-helpdesk, installing it with pip at the first call.

    The environment is built beside its final place and moved there when it is complete: an interrupted or parallel
    call leaves nothing half done. `progress` gets one line at a time. Raises HelpdeskUnavailable.
    """
    cache = cache_dir or default_cache_dir()
    home = cache / f"{REQUIREMENT.replace('==', '-')}-py{sys.version_info.major}.{sys.version_info.minor}"
    python = home / "bin" / "python"
    if python.exists():
        return python
    cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(home, ignore_errors=True)  # its base interpreter has gone
    with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-") as scratch:
        built = Path(scratch) / "venv"
        progress(f"creating an environment for {REQUIREMENT}")
        venv.create(built, with_pip=True)
        _pip_install(built / "bin" / "python", progress)
        with contextlib.suppress(OSError):  # somebody else was faster
            built.rename(home)
    if not python.exists():
        raise HelpdeskUnavailable(f"{home} could not be created")
    return python


def _pip_install(python: Path, progress: Progress) -> None:
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", REQUIREMENT]
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603 (our own environment, constant arguments)
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        for line in pip.stdout or ():
            lines.append(line.rstrip())
            progress(lines[-1])
    if pip.returncode != 0:
        raise HelpdeskUnavailable(f"pip could not install {REQUIREMENT}:\n" + "\n".join(lines[-5:]))


@dataclass(frozen=True, slots=True)
class Seed:
    """What a fresh site has: its address, and by name the people's ids, passwords and tokens; queues by slug."""

    url: str
    user_ids: Mapping[str, int]
    passwords: Mapping[str, str]
    tokens: Mapping[str, str]
    queues: Mapping[str, int]


class HelpdeskServer:
    """One helpdesk process on loopback with its data in one folder; a context manager that starts and stops it.

    The process also ends by itself when this one is gone. Starting again on the same folder keeps tickets, tokens and
    port.
    """

    def __init__(self, python: Path, data: Path, webhook_url: str | None = None, port: int = 0) -> None:
        self.webhook_url = webhook_url
        """Where both kinds of events go, with blanks between several; a change holds from the next start on."""
        self._python = python
        self._data = data
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._seed: Seed | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def seed(self) -> Seed:
        """What the site was seeded with. Raises HelpdeskUnavailable before the first start."""
        if self._seed is None:
            raise HelpdeskUnavailable("the helpdesk has not been started")
        return self._seed

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return self.seed.url

    @property
    def tokens(self) -> Mapping[str, str]:
        """API tokens of admin, agent and tech."""
        return self.seed.tokens

    @property
    def user_ids(self) -> Mapping[str, int]:
        """User ids of admin, agent, tech and customer."""
        return self.seed.user_ids

    @property
    def queues(self) -> Mapping[str, int]:
        """Queue ids by slug."""
        return self.seed.queues

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process and wait until it answers. Raises HelpdeskUnavailable with the end of its log."""
        self._data.mkdir(parents=True, exist_ok=True)
        ready = self._data / "seed.json"
        ready.unlink(missing_ok=True)
        with (self._data / "server.log").open("ab") as log:
            # Isolated (-I): this folder has a module that would hide the helpdesk's package.
            self._process = subprocess.Popen(  # noqa: S603 (our own file)
                [self._python, "-I", SITE, self._data, str(self._port)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environment(),
            )
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                end = (self._data / "server.log").read_text(errors="replace").splitlines()[-5:]
                raise HelpdeskUnavailable("the helpdesk did not start:\n" + "\n".join(end))
            time.sleep(0.05)
        facts: dict[str, Any] = json.loads(ready.read_text())
        self._seed = Seed(**facts)
        self._port = int(self._seed.url.rpartition(":")[2])

    def stop(self) -> None:
        """End the process, by force if it does not go; harmless when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            end(process, STOP_SECONDS)

    def _environment(self) -> dict[str, str]:
        """Return the child's environment: no proxy may stand between the helpdesk and a receiver on loopback."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return {**kept, "WEBHOOK_URL": self.webhook_url or ""}
