"""What it costs to start: the CPU time of a server until it acknowledges and until it suggests, and of commands.

`NAME=serving` prints it. Time is user and system time of the whole process from exec on, on one thread of numpy's; of a
command the least of three runs, of a server the process at the moment of the answer, as the system counts it in ticks.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.proofs.bench import abuse
from tests.upgrade.helpdesk import Helpdesk

HISTORY = Path(__file__).parents[2] / "upgrade" / "history.csv"
RUNS = 3
TICK = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 120
MORE_TICKETS = 50
"""Tickets that are answered before the memory is read."""


def starting(folder: Path) -> dict[str, float]:
    """Return the figures of an installation that this makes in an empty folder: a trained one, on the bundled model."""
    installed(folder)
    places = ["--config", str(folder / "agent.toml"), "--data", str(folder / "data")]
    figures = [copied(folder) for _ in range(RUNS)]
    return {
        **{name: min(each[name] for each in figures) for name in ("ack_cpu_s", "predict_cpu_s")},
        "rss_mb": max(each["rss_mb"] for each in figures),
        "help_cpu_s": min(command(["--help"]) for _ in range(RUNS)),
        "pause_cpu_s": min(command(["queue", "pause", *places]) for _ in range(RUNS)),
    }


def installed(folder: Path) -> None:
    """Import a history and train on it."""

    def start_once() -> None:
        with Helpdesk().serving() as address, abuse.server(folder, address):
            pass

    start_once()  # it writes the settings file
    places = ["--config", str(folder / "agent.toml"), "--data", str(folder / "data")]
    for words in (["import", str(HISTORY), "--source", "history"], ["train", "--trainer", "frozen"]):
        done = subprocess.run(
            [sys.executable, "-m", "agent.cli", *words, *places], capture_output=True, text=True, env=variables()
        )
        assert done.returncode == 0, done.stdout + done.stderr
    start_once()  # from here on the database knows what the encoder makes of the history


def copied(folder: Path) -> dict[str, float]:
    """Start a server on a copy of the installation, and return its costs."""
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(folder, place, dirs_exist_ok=True)
        return served(Path(place))


def served(folder: Path) -> dict[str, float]:
    """Start a server, and return its costs."""
    desk = Helpdesk()
    settings = {"ROLECALL_WORK__SETTLE_SECONDS": "0.1", "ROLECALL_TRIAGE__SILENT_BELOW": "0"}
    with desk.serving() as address, abuse.server(folder, address, settings | variables()) as running:
        hook = f"http://127.0.0.1:{running.port}/hooks/django-helpdesk/{abuse.SECRET}"
        with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as client:
            told = client.post(hook, json=desk.file("VPN", "The VPN drops every morning")).raise_for_status()
            acknowledged = cpu_seconds(running.process.pid)
            assert told.status_code == 202
            answered(desk, 1)
            predicted = cpu_seconds(running.process.pid)
            for number in range(MORE_TICKETS):
                client.post(hook, json=desk.file(f"VPN {number}", f"It drops, case {number}")).raise_for_status()
            answered(desk, MORE_TICKETS + 1)
            return {"ack_cpu_s": acknowledged, "predict_cpu_s": predicted, "rss_mb": running.held_mb()}


def answered(desk: Helpdesk, tickets: int) -> None:
    """Return once so many tickets have a comment."""
    until = time.monotonic() + PATIENCE_SECONDS
    while sum(bool(desk.comments(number)) for number in list(desk.tickets)) < tickets:
        assert time.monotonic() < until, "no comment came"
        time.sleep(0.01)


def command(words: list[str]) -> float:
    """Return the CPU seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "agent.cli", *words], capture_output=True, check=True, env=variables())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cpu_seconds(process: int) -> float:
    """Return what a running process has used, as Linux counts it (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def variables() -> dict[str, str]:
    """Return the environment of every process that is measured."""
    return abuse.environment({"OMP_NUM_THREADS": "1"})
