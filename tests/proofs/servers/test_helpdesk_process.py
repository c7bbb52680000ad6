"""The helpdesk of the demo: installed once, restarted on its data, gone with the one who started it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from agent.demo.helpdesk import HelpdeskServer, HelpdeskUnavailable, ensure_environment


@pytest.fixture
def python(helpdesk: HelpdeskServer) -> Path:
    """The environment's Python; the session's helpdesk made sure that there is one."""
    return ensure_environment()


def test_an_environment_is_made_only_once(python: Path) -> None:
    steps: list[str] = []
    assert ensure_environment(progress=steps.append) == python
    assert steps == []


def test_a_failed_installation_says_why_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(HelpdeskUnavailable, match="No matching distribution"):
        ensure_environment(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_restart_keeps_address_tokens_and_tickets(python: Path, tmp_path: Path) -> None:
    with HelpdeskServer(python, tmp_path) as server:
        before = server.seed
        ticket = {"queue": server.queues["WO"], "title": "Leak", "description": "Oil", "priority": 3}
        headers = {"Authorization": f"Token {server.tokens['tech']}"}
        answer = httpx.post(
            f"{server.url}/api/tickets/",
            json={**ticket, "submitter_email": "customer@example.test"},
            headers=headers,
            trust_env=False,
        )
        assert answer.status_code == 201
        server.stop()
        server.start()
        assert server.seed == before
        kept = httpx.get(f"{server.url}/api/tickets/{answer.json()['id']}/", headers=headers, trust_env=False)
    assert kept.json()["title"] == "Leak"


def test_a_site_that_cannot_start_says_why(python: Path, helpdesk: HelpdeskServer, tmp_path: Path) -> None:
    taken = httpx.URL(helpdesk.url).port
    assert taken
    with pytest.raises(HelpdeskUnavailable, match="in use"), HelpdeskServer(python, tmp_path, port=taken):
        pass


def test_the_site_ends_with_a_parent_that_was_killed(python: Path, tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from agent.demo.helpdesk import HelpdeskServer\n"
        "server = HelpdeskServer(Path(sys.argv[1]), Path(sys.argv[2])); server.start()\n"
        "print(server.url, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, python, tmp_path], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        url = parent.stdout.readline().strip()
        assert httpx.get(f"{url}/login/", trust_env=False).status_code == 200
        parent.kill()
    deadline = time.monotonic() + 10
    while answers(url) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answers(url)


def answers(url: str) -> bool:
    try:
        httpx.get(f"{url}/login/", trust_env=False)
    except httpx.TransportError:
        return False
    return True
