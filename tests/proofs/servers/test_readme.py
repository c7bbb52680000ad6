"""Every command of the README, word by word and in its order, beside a real helpdesk."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from agent.demo import story
from agent.demo.helpdesk import HelpdeskServer, HelpdeskUnavailable, default_cache_dir, ensure_environment
from agent.demo.installation import Installation

ROOT = Path(__file__).parents[3]
BLOCKS = re.findall(r"^ *```sh\n(.*?)^ *```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
COMMANDS = [line.strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
ROLECALL = [command for command in COMMANDS if command.startswith("rolecall ")]


@pytest.fixture
def desk_folder(tmp_path: Path) -> Path:
    """A working directory as step 1 to 3 of the README leave it."""
    try:
        python = ensure_environment()
    except HelpdeskUnavailable as error:
        pytest.skip(f"no real helpdesk here: {error}")
    (tmp_path / "config").mkdir()
    for name in ("rules.toml", "roles.toml"):
        shutil.copy(ROOT / "config" / name, tmp_path / "config")
    with HelpdeskServer(python, tmp_path / "helpdesk", "http://127.0.0.1:9/unused") as helpdesk:
        installation = Installation(tmp_path / "config", tmp_path / "config/rules.toml", tmp_path / "config/roles.toml")
        installation.configure(helpdesk, learning={"trainer": "frozen", "threads": 1})
        (tmp_path / ".env").write_text("".join(f"{k}={v}\n" for k, v in installation.secrets().items()))
        history, _, _ = story.work_orders(default_cache_dir(), 1)
        story.write_history(tmp_path / "tickets.csv", history)
        text = (tmp_path / "tickets.csv").read_text("utf-8")
        for ours, theirs in {"id": "number", "created_at": "opened", "role": "team"}.items():  # as the README's columns
            text = text.replace(ours, theirs, 1)
        (tmp_path / "tickets.csv").write_text(text)
        yield tmp_path


def test_the_readme_shows_nothing_but_make_and_rolecall() -> None:
    assert ROLECALL
    assert [c for c in COMMANDS if not c.startswith(("make ", "rolecall "))] == []


def test_every_rolecall_command_of_the_readme_works(desk_folder: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in ROLECALL:
        words = shlex.split(command)
        if words[1] == "serve":
            serve(words, desk_folder, environment)
            continue
        done = subprocess.run(words, cwd=desk_folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def serve(words: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Start the server as written, and stop it when it is ready."""
    with subprocess.Popen(words, cwd=folder, env=environment, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    assert httpx.get("http://127.0.0.1:8080/readyz", trust_env=False).status_code == 200
                    break
                except httpx.TransportError:
                    assert process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
        finally:
            process.terminate()
            process.communicate(timeout=30)
