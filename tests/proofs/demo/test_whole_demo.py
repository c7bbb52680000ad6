"""`make demo` does what the README says: every ticket gets one comment, and the last line tells how good they were."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.demo.helpdesk import HelpdeskUnavailable, ensure_environment

ROOT = Path(__file__).parents[3]
LAST_LINE = re.compile(
    r"tickets=(\d+) missing=(\d+) duplicates=(\d+) accuracy_before=(\S+) accuracy_after=(\S+) coverage=(\S+) "
    r"precision=(\S+) seconds=\d+"
)


def test_the_demo_ends_with_one_comment_on_every_ticket() -> None:
    try:
        ensure_environment()
    except HelpdeskUnavailable as error:
        pytest.skip(f"no real helpdesk here: {error}")
    command = [sys.executable, "-m", "agent.cli", "demo", "--exit", "--tickets", "6"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = LAST_LINE.fullmatch(done.stdout.splitlines()[-1])
    assert found, done.stdout[-500:]
    tickets, missing, duplicates = map(int, found.groups()[:3])
    assert (tickets, missing, duplicates) == (12, 0, 0)
    assert float(found[5]) >= 0.5  # six tickets tell little, but a broken loop is far below


def test_make_demo_runs_the_demo() -> None:
    planned = subprocess.run(["make", "-n", "demo", "ARGS=--exit"], cwd=ROOT, capture_output=True, text=True)
    assert "rolecall demo --exit" in planned.stdout
