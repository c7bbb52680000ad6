"""Whatever signs the name of the data directory holds, the database lies in it, and nobody else can read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.store.database import Database

NAMES = ["what?mode=ro", "100%", "%41", "a#b", "ä ö;&", "file:x"]


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_where_it_was_asked_for(tmp_path: Path, name: str) -> None:
    file = tmp_path / name / "db.sqlite3"
    file.parent.mkdir()
    Database.open_file(file).close()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert file.stat().st_size > 0
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_command_finds_the_same_file(tmp_path: Path, name: str) -> None:
    settings, data = tmp_path / "agent.toml", tmp_path / name
    settings.touch()
    given = ["--config", str(settings), "--data", str(data)]
    assert CliRunner().invoke(app, ["db", "upgrade", *given]).exit_code == 0
    assert (data / "rolecall.sqlite3").stat().st_mode & 0o777 == 0o600
    assert CliRunner().invoke(app, ["db", "check", *given]).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"agent.toml", name}
