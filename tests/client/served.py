"""`rolecall serve` in a process of its own, as people start it, and what a client of its API sends first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef0123456789abcdef"
EXAMPLES = [
    {"text": text, "label": label}
    for label, texts in {
        "book_flight": ["I need a flight to Boston", "book me a plane ticket", "fly me home", "two seats to Rome"],
        "cancel": ["please cancel my booking", "I want my money back", "call it off", "cancel the reservation"],
        "weather": ["will it rain tomorrow", "how hot is it in Lima", "is there snow", "what is the forecast"],
    }.items()
    for text in texts
]


def start(data: Path, **variables: str) -> tuple[subprocess.Popen[str], str, str]:
    """Start `rolecall serve` on a free port; return it, its address, and what it had said by then."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("ROLECALL_", "API_KEY"))}
    command = [sys.executable, "-m", "agent.cli", "serve", "--data", str(data), "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, env=environ | variables, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    said = ""
    for line in server.stderr:
        said += line
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return server, found[0], said
    raise AssertionError(f"the server did not start: {said}")
