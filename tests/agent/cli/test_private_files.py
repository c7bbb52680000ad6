"""Whatever the umask, all that commands write into the data directory is for its owner's eyes; logs hold no key."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent import logs
from agent.cli import main
from agent.cli.serve import show_key
from agent.data_directory import DataDirectory
from tests.conftest import TICKETS

COMMANDS = (
    ("import", "tickets.csv"),
    ("queue", "pause", "--reason", "a test"),
    ("forget", "--ticket", "import:1", "--yes", "--no-train"),
    ("backup", "data/b.zip"),
    ("restore", "data/b.zip", "--force"),
)


@pytest.fixture
def careless() -> Iterator[None]:
    """Set a umask that hides nothing."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    paths = (folder, *folder.rglob("*"))
    return {str(path.relative_to(folder.parent)): oct(stat.S_IMODE(path.lstat().st_mode)) for path in paths}


def open_to_others(folder: Path) -> dict[str, str]:
    return {name: mode for name, mode in modes(folder).items() if int(mode, 8) & 0o077}


def test_no_command_leaves_a_file_to_others(careless: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("roles.toml", "rules.toml"):
        (tmp_path / name).write_bytes((TICKETS / name).read_bytes())
    (tmp_path / "agent.toml").write_text("[intake]\nmin_free_bytes = 0\n")
    (tmp_path / "tickets.csv").write_text("id,created_at,subject,body,role\n1,2026-01-05,VPN is down,,Network\n")
    for words in COMMANDS:
        places = ("--config", "agent.toml", "--data", "data")
        with pytest.raises(SystemExit) as ended:
            main([*words, *places])
        assert ended.value.code == 0, words
    assert (tmp_path / "data/rolecall.sqlite3").exists()
    assert open_to_others(tmp_path / "data") == {}


def test_a_server_tightens_what_an_earlier_release_left(careless: None, tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "data")
    (directory.path / "models/v1").mkdir(parents=True)
    (directory.path / "models/v1/head.safetensors").write_text("")
    (directory.path / "elsewhere").symlink_to(tmp_path)
    outside = tmp_path.stat().st_mode
    assert open_to_others(directory.path)
    directory.tighten()
    (directory.path / "elsewhere").unlink()
    assert open_to_others(directory.path) == {}
    assert tmp_path.stat().st_mode == outside


def test_without_a_terminal_the_first_key_is_in_a_file_and_not_in_the_log(
    careless: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("json", logging.INFO)
    with capture_logs() as logged:
        show_key("KEY-canary", tmp_path / "first-api-key.txt")
    assert (tmp_path / "first-api-key.txt").read_text() == "KEY-canary\n"
    assert modes(tmp_path / "first-api-key.txt") == {"first-api-key.txt": "0o600"}
    assert "KEY-canary" not in f"{logged} {capfd.readouterr()}"
    assert [line["key_is_in"] for line in logged] == [str(tmp_path / "first-api-key.txt")]
