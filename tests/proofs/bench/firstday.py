"""The first day: from a helpdesk with 300 closed tickets by `rolecall init` to the first decision and first comment.

    make bench NAME=firstday

A fresh django-helpdesk, and a Redmine where it is installed (tests/proofs/servers/redmine/install.sh). A driver sits at
a terminal and answers what `init` asks, as an operator would who has the helpdesk's pages open. `minutes` is the time
from its start to the first decision, in shadow, on a ticket that is then filed, pasting of the webhook's address
included. Then `rolecall ladder begin` lets every role comment, and more tickets are filed, one after the other, until
one of them shows a comment in the helpdesk: `to_comment_minutes` is the time from the start of `init` to that,
`to_comment_tickets` how many were filed for it. `cpu_seconds` is what Rolecall used until its server was stopped,
`questions` how often it asked, `files_edited` how many files of the installation differ from what `init` left. The keys
are those of django-helpdesk, with `redmine_` before them those of Redmine.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from agent.config.roles_file import load_roles
from agent.demo import corpus
from agent.demo.helpdesk import SITE, HelpdeskServer, default_cache_dir, ensure_environment
from agent.demo.installation import Installation
from agent.demo.staff import Staff
from agent.domain import Example

TICKETS = 300
MORE = 12
"""Tickets that can be filed: the first for a decision, the others for a comment."""
PATIENCE_SECONDS = 1_500.0
ROOT = Path(__file__).parents[3]
FILL = Path(__file__).with_name("firstday_fill.py")
Answer = str | Callable[[str], str]


@dataclass
class Terminal:
    """A process at a terminal of its own. `answers` are given to the questions that hold these words."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    answers: Mapping[str, Answer]
    said: str = ""
    asked: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0
    """Of the process and all that it waited for, once it has ended."""

    left: dict[str, bytes] = field(default_factory=dict)
    """The files as `init` left them."""

    _pid: int = 0
    _fd: int = -1

    def start(self) -> None:
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(self.folder)
            os.execvpe(self.command[0], list(self.command), dict(self.environment))

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Answer questions until something is true."""
        deadline, answered = time.monotonic() + PATIENCE_SECONDS, 0
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError(f"still not so: {what}\n{self.said[-3_000:]}")
            ready, _, _ = select.select([self._fd], [], [], 0.3)
            if not ready:
                continue
            try:
                some = os.read(self._fd, 65_536)
            except OSError:
                some = b""
            if not some:
                raise RuntimeError(f"it ended before: {what}\n{self.said[-3_000:]}")
            self.said += some.decode("utf-8", "replace")
            for words, answer in self.answers.items():
                question = self.said[max(answered, self.said.rfind("\n") + 1) :]
                if words in question and re.search(r": ?$", question):
                    said = answer(question) if callable(answer) else answer
                    self.asked.append(" ".join(question.split()))
                    answered = len(self.said)
                    time.sleep(0.2)  # getpass throws away what was typed before it asked
                    os.write(self._fd, f"{said}\n".encode())
                    break

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._pid, signal.SIGTERM)
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                gone, _, used = os.wait4(self._pid, os.WNOHANG)
                if gone:
                    self.cpu_seconds = used.ru_utime + used.ru_stime
                    break
                with contextlib.suppress(OSError):
                    if select.select([self._fd], [], [], 0.1)[0]:
                        os.read(self._fd, 65_536)
        os.close(self._fd)


def main(arguments: Sequence[str] = ()) -> int:
    quiet = "--quiet" in arguments
    examples = corpus.load(default_cache_dir())[-TICKETS - MORE :]
    figures = helpdesk_day(examples, quiet)
    from tests.proofs.bench import firstday_redmine

    if firstday_redmine.installed():
        figures |= {f"redmine_{key}": value for key, value in firstday_redmine.day(examples, quiet).items()}
    else:
        print("no Redmine here: sudo sh tests/proofs/servers/redmine/install.sh")
    print(" ".join(f"{key}={value}" for key, value in figures.items()))
    return 0


def helpdesk_day(examples: Sequence[Example], quiet: bool) -> dict[str, str]:
    roles = load_roles(ROOT / "config/roles.toml")
    slugs = {role.name: role.group("django-helpdesk") or "WO" for role in roles.roles}
    python = ensure_environment()
    with tempfile.TemporaryDirectory(prefix="firstday-") as name:
        folder = fresh(Path(name) / "rolecall")
        data = Path(name) / "helpdesk"
        helpdesk = HelpdeskServer(python, data)
        helpdesk.start()
        helpdesk.stop()
        tickets = [
            {
                "slug": slugs[example.roles[0]],
                "title": example.subject or example.body[:80],
                "body": example.body or example.subject,
                "created": (day := opened(number)).isoformat(),
                "closed": (day + timedelta(hours=5)).isoformat(),
                "submitter": f"operator-{number % 40}@example.test",
            }
            for number, example in enumerate(examples[:TICKETS])
        ]
        subprocess.run([python, "-I", FILL, SITE, data], input=json.dumps(tickets), text=True, check=True)
        with (
            helpdesk,
            running(
                folder,
                {
                    "Which system": "django-helpdesk",
                    "Its address": helpdesk.url,
                    "token": helpdesk.tokens["agent"],
                    "Where does it reach": lambda _: f"http://127.0.0.1:{port(folder)}",
                    "Slugs of the queues": lambda question: named(question, helpdesk.queues),
                    "Accounts whose commands": "",
                    "Language of comments": "",
                    "Write these roles": "y",
                    "Start the server": "y",
                },
            ) as terminal,
        ):
            began = time.monotonic()
            hook = answered(terminal, folder)
            helpdesk.stop()
            helpdesk.webhook_url = hook  # what `init` says to paste
            helpdesk.start()
            with Staff(helpdesk.url, helpdesk.tokens["tech"]) as tech:
                agent = helpdesk.user_ids["agent"]

                def file(example: Example) -> int:
                    return tech.file(helpdesk.queues["WO"], example.subject or "pump", example.text)

                def noted(number: int) -> bool:
                    return any(comment.author == agent for comment in tech.comments(number))

                figures = worked(terminal, folder, began, Desk(file, noted), examples[TICKETS:], quiet)
        return figures | {"cpu_seconds": f"{terminal.cpu_seconds:.0f}"}


def opened(number: int) -> datetime:
    """Return when the ticket of this number was filed: one every seventeen hours, up to yesterday."""
    return datetime.now(UTC) - timedelta(hours=24 + 17 * (TICKETS - number))


def fresh(folder: Path) -> Path:
    """Return an installation as it is shipped."""
    shutil.copytree(ROOT / "config", folder / "config")
    (folder / "port").write_text(str(Installation(folder, folder, folder).port))
    return folder


def port(folder: Path) -> int:
    return int((folder / "port").read_text())


def named(question: str, queues: Mapping[str, int]) -> str:
    """Return the slugs of the queues that a question names, in its order."""
    by_number = {str(number): slug for slug, number in queues.items()}
    asked = question.partition("queues ")[2].partition(", in this order")[0]
    return ", ".join(by_number[number.strip()] for number in asked.split(","))


@contextlib.contextmanager
def running(folder: Path, answers: Mapping[str, Answer]) -> Iterator[Terminal]:
    environment = os.environ | {
        "ROLECALL_SERVER__PORT": str(port(folder)), "PYTHONPATH": str(ROOT), "TERM": "dumb", "COLUMNS": "300",
    }  # fmt: skip
    terminal = Terminal([sys.executable, "-m", "agent.cli", "init"], folder, environment, answers)
    terminal.start()
    try:
        yield terminal
    finally:
        terminal.end()


def answered(terminal: Terminal, folder: Path) -> str:
    """Answer until the server is ready, and return the webhook's address."""

    def ready() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port(folder)}/readyz", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    terminal.until(lambda: "Start the server" in terminal.said, "init asks whether to start")
    terminal.left = written(folder)
    terminal.until(ready, "the server answers")
    found = re.search(r"http://127\.0\.0\.1:\d+/hooks/[\w./-]+", terminal.said)
    return found[0] if found else ""


def written(folder: Path) -> dict[str, bytes]:
    """Return the files that an operator may edit."""
    files = [folder / ".env", *(folder / "config").rglob("*.toml")]
    return {str(file): file.read_bytes() for file in files}


@dataclass(frozen=True, slots=True)
class Desk:
    """What people do and see in a system: file a ticket, and look whether it has a comment of Rolecall's."""

    file: Callable[[Example], int]
    noted: Callable[[int], bool]


def worked(
    terminal: Terminal, folder: Path, began: float, desk: Desk, examples: Sequence[Example], quiet: bool
) -> dict[str, str]:
    """Go on from a server that is ready to the first decision and the first comment, and return the figures."""
    desk.file(examples[0])
    minutes = decided(terminal, folder, began)
    begun = subprocess.run(
        [sys.executable, "-m", "agent.cli", "ladder", "begin"],
        cwd=folder, env=dict(terminal.environment), capture_output=True, text=True, check=True,
    )  # fmt: skip
    print(begun.stdout.strip())
    tried = commented(terminal, folder, desk, examples[1:])
    to_comment = (time.monotonic() - began) / 60
    now = written(folder)
    edited = sum(now.get(name) != terminal.left.get(name) for name in now.keys() | terminal.left.keys())
    if not quiet:
        print(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", "\n".join(re.split(r"[\r\n]+", terminal.said))))
    print(f"questions: {terminal.asked}")
    return {
        "minutes": f"{minutes:.1f}",
        "to_comment_minutes": f"{to_comment:.1f}",
        "to_comment_tickets": str(tried),
        "questions": str(len(terminal.asked)),
        "files_edited": str(edited),
    }


def rows(folder: Path, query: str, *values: str) -> list[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "data/rolecall.sqlite3")) as connection:
        return connection.execute(query, values).fetchall()


def decided(terminal: Terminal, folder: Path, began: float) -> float:
    """Wait for the first decision, and return after how many minutes it was there."""
    terminal.until(lambda: bool(rows(folder, "SELECT 1 FROM decision")), "a decision")
    minutes = (time.monotonic() - began) / 60
    ((labels,),) = rows(folder, "SELECT count(*) FROM review")
    outcome, roles, version = rows(folder, "SELECT outcome, roles, model_version FROM decision")[0]
    print(f"{labels} labels; the first decision: {outcome} {roles}, by {version or 'rules'}")
    return minutes


def commented(terminal: Terminal, folder: Path, desk: Desk, examples: Sequence[Example]) -> int:
    """File tickets until one has a comment, and return how many. One on which Rolecall is silent gets none."""
    silent = (
        "SELECT 1 FROM decision JOIN inbox ON inbox.seq = decision.event_seq"
        " WHERE decision.ticket_key LIKE ? AND outcome = 'none' AND state = 'done'"
    )
    for tried, example in enumerate(examples, 1):
        number = desk.file(example)

        def over(number: int = number) -> bool:
            return desk.noted(number) or bool(rows(folder, silent, f"%:{number}"))

        terminal.until(over, f"a comment on ticket {number}, or that there is nothing to say")
        if desk.noted(number):
            return tried
    raise RuntimeError(f"Rolecall has nothing to say of {len(examples)} tickets")
