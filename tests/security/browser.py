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

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@dataclass(frozen=True)
class Seen:
    """The document after its scripts ran, and what the console says of the policy."""

    document: str
    refused: list[str]


def look(url: str, profile: Path) -> Seen:
    """Open a page."""
    options = ["--headless", "--no-sandbox", "--disable-dev-shm-usage", *ARGUMENTS, f"--user-data-dir={profile}"]
    options += ["--enable-logging=stderr", f"--virtual-time-budget={PATIENCE_MS}", "--dump-dom", url]
    done = subprocess.run([str(CHROMIUM), *options], capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return Seen(done.stdout, re.findall(r".*Content Security Policy.*", done.stderr))
