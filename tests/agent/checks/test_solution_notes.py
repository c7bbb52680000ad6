"""An upgraded desk without notes on solved tickets is told what to set; a new one, and one that has chosen, is not."""

from __future__ import annotations

from pathlib import Path

from agent.store import coordination, writings
from agent.store.database import Database
from tests.agent.checks.conftest import CheckThat


def test_an_upgraded_desk_is_told_until_it_chooses(check: CheckThat, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    database = Database.open_file(tmp_path / "data" / "rolecall.sqlite3")
    assert not any(line.startswith("warn writing") for line in check())
    database.call(coordination.put, writings.OLDER, "")
    database.close()
    (line,) = [line for line in check() if line.startswith("warn writing")]
    assert '[writing] closure to "note"' in line
