"""`rolecall login` as a process of its own, with the real hub library against a hub on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.stubs import hub as hubs
from tests.stubs import infisical as vaults
from tests.stubs.server import Reply

ROOT = Path(__file__).parents[4]
TOKEN, STALE = "hf_accepted", "hf_stale"


@pytest.fixture
def hub() -> Iterator[hubs.Hub]:
    with hubs.hub() as stub:
        stub.accounts = {TOKEN: "ada"}
        yield stub


def login(folder: Path, hub: hubs.Hub, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder that is home, cache and working directory; no other variable reaches it."""
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "HF_HOME": str(folder / "hf"),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", "login"],
        cwd=folder,
        env=environ | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


def saved_token(folder: Path) -> str | None:
    file = folder / "hf" / "token"
    return file.read_text() if file.exists() else None


def no_token_shown(done: subprocess.CompletedProcess[str]) -> bool:
    return TOKEN not in done.stdout + done.stderr and STALE not in done.stdout + done.stderr


def test_a_key_in_dotenv_logs_in_and_the_next_time_it_is_known_already(tmp_path: Path, hub: hubs.Hub) -> None:
    (tmp_path / ".env").write_text(f"HUGGINGFACE_APIKEY={TOKEN}\n")
    first = login(tmp_path, hub)
    assert first.returncode == 0
    assert f"logged in to {hub.url} as ada (token: .env, HUGGINGFACE_APIKEY)" in first.stdout
    assert "nothing is cached yet" in first.stdout
    assert saved_token(tmp_path) == TOKEN
    (tmp_path / ".env").unlink()
    second = login(tmp_path, hub)
    assert f"logged in to {hub.url} as ada already" in second.stdout
    assert no_token_shown(first)
    assert no_token_shown(second)


def test_hf_token_in_the_environment_is_enough_and_is_not_saved(tmp_path: Path, hub: hubs.Hub) -> None:
    done = login(tmp_path, hub, HF_TOKEN=TOKEN)
    assert "as ada already" in done.stdout
    assert saved_token(tmp_path) is None


def test_infisical_is_asked_when_nothing_else_has_a_key(tmp_path: Path, hub: hubs.Hub) -> None:
    with vaults.infisical() as vault:
        vault.folders["/"] = {"HUGGINGFACE_APIKEY": TOKEN}
        variables = {name: value for name, value in vault.variables.items() if not name.endswith("SOURCES")}
        done = login(tmp_path, hub, **variables)
    assert "as ada (token: Infisical desk/prod/, HUGGINGFACE_APIKEY)" in done.stdout
    assert saved_token(tmp_path) == TOKEN


def test_a_key_that_the_hub_refuses_is_passed_over_for_the_next(tmp_path: Path, hub: hubs.Hub) -> None:
    (tmp_path / ".env").write_text(f"HUGGINGFACE_APIKEY={TOKEN}\n")
    done = login(tmp_path, hub, HUGGINGFACE_APIKEY=STALE)
    assert "as ada (token: .env, HUGGINGFACE_APIKEY)" in done.stdout
    assert no_token_shown(done)


def test_a_stale_hf_token_is_told_because_it_would_be_used_instead(tmp_path: Path, hub: hubs.Hub) -> None:
    (tmp_path / ".env").write_text(f"HUGGINGFACE_APIKEY={TOKEN}\n")
    done = login(tmp_path, hub, HF_TOKEN=STALE)
    assert done.returncode == 0
    assert "unset HF_TOKEN" in done.stdout


def test_what_is_missing_is_told_for_every_source(tmp_path: Path, hub: hubs.Hub) -> None:
    done = login(tmp_path, hub, HUGGINGFACE_APIKEY=STALE, SECRET_CLIENT_ID="machine")
    assert done.returncode == 2
    assert "environment, HUGGINGFACE_APIKEY: the hub does not accept it" in done.stderr
    assert ".env: has neither HUGGINGFACE_APIKEY nor HF_TOKEN" in done.stderr
    assert "infisical: not set: SECRET_CLIENT_SECRET, SECRET_PROJECT_SLUG, SECRET_ENVIRONMENT_SLUG" in done.stderr
    assert "https://huggingface.co/settings/tokens" in done.stderr
    assert "Traceback" not in done.stderr
    assert no_token_shown(done)


def test_a_hub_that_fails_is_told_without_a_traceback(tmp_path: Path, hub: hubs.Hub) -> None:
    hub.faults = [Reply(503, {"error": "maintenance"})] * 10
    done = login(tmp_path, hub, HF_TOKEN=TOKEN)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "answered 503" in done.stderr


def test_cached_repositories_are_listed(tmp_path: Path, hub: hubs.Hub) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hf" / "hub" / "models--acme--tiny-model"
    for folder in ("blobs", "refs", f"snapshots/{commit}"):
        (repository / folder).mkdir(parents=True)
    (repository / "blobs" / "b1").write_bytes(b"x" * 2_000)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots" / commit / "config.json").symlink_to("../../blobs/b1")
    done = login(tmp_path, hub, HF_TOKEN=TOKEN)
    (row,) = [line for line in done.stdout.splitlines() if "acme/tiny-model" in line]
    assert "model" in row
    assert "2.0 kB" in row
