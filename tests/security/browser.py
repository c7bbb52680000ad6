"""A real browser without a window: what a page becomes in it, and what its policy refused."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.chromium import ARGUMENTS, installed

CHROMIUM = installed()
PATIENCE_MS = 10_000
ATTEMPTS = 3

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@dataclass(frozen=True)
class Seen:
    """The document after its scripts ran, and what the console says of the policy."""

    document: str
    refused: list[str]


def look(url: str, profile: Path) -> Seen:
    """Open a page; once more where the browser itself crashed, as it does on a machine that is busy enough."""
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        *ARGUMENTS,
        f"--user-data-dir={profile}",
        "--enable-logging=stderr",
    ]
    options += [f"--virtual-time-budget={PATIENCE_MS}", "--dump-dom", url]
    for _ in range(ATTEMPTS):
        done = subprocess.run([str(CHROMIUM), *options], capture_output=True, text=True, timeout=180, check=False)
        if done.returncode >= 0:
            break
    assert done.returncode == 0, done.stderr[-3000:]
    return Seen(done.stdout, re.findall(r".*Content Security Policy.*", done.stderr))
