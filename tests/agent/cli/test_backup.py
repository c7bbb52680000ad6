"""`rolecall backup` and `rolecall restore`: they say what is in the file, where things are, and what is left to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from agent.cli import app
from agent.errors import BadInput, NotPossibleYet
from tests.agent.keeping.conftest import installed_once as installed_once
from tests.agent.keeping.conftest import new as new
from tests.agent.keeping.conftest import old as old
from tests.agent.keeping.installed import Installed


def run(installed: Installed, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.chdir(installed.folder)
    places = ["--config", "config/agent.toml", "--data", "data"]
    return CliRunner().invoke(app, [*words, *places], env={"COLUMNS": "200", "ROLECALL_INTAKE__MIN_FREE_BYTES": "0"})


def test_saved_restored_elsewhere_and_undone(
    old: Installed, new: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "b.zip")
    saved = run(old, monkeypatch, "backup", file)
    assert saved.exit_code == 0, saved.exception
    first, *_, last = saved.output.splitlines()
    assert "will hold secrets (tokens, webhook secrets, keys) and texts of tickets" in first
    assert "files, compared in" in last
    restored = run(new, monkeypatch, "restore", file)
    assert restored.exit_code == 0, restored.exception
    assert "data is as it was on 20" in restored.output
    assert "whatever was forgotten since" in restored.output
    assert "next: `rolecall check`" in restored.output
    assert isinstance(run(new, monkeypatch, "restore", file).exception, NotPossibleYet)
    again = run(new, monkeypatch, "restore", file, "--force")
    assert "what was there before is in data/.before-restore-" in again.output
    undone = run(new, monkeypatch, "restore", "--undo")
    assert "data is as it was before the last restore" in undone.output
    assert new.tickets() == {"desk:1", "desk:2"}


def test_without_secrets_it_says_what_stays(old: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = run(old, monkeypatch, "backup", str(tmp_path / "b.zip"), "--without-secrets")
    assert "its texts of tickets and the key of our marks stay" in saved.output


def test_a_server_that_runs_keeps_a_restore_off(
    old: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.save(tmp_path / "b.zip")
    with old.directory.serving():
        refused = run(old, monkeypatch, "restore", str(tmp_path / "b.zip"), "--force")
    assert "another server runs on" in str(refused.exception)


@pytest.mark.parametrize("words", [(), ("b.zip", "--undo"), ("b.zip", "--forgotten", "none.jsonl")])
def test_what_is_missing_or_too_much_is_said(new: Installed, monkeypatch: pytest.MonkeyPatch, words: tuple) -> None:
    assert isinstance(run(new, monkeypatch, "restore", *words).exception, BadInput)
