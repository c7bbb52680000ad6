"""Looking at an installation leaves every file as it was, and makes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core import Parts
from agent.store import comments
from agent.store.database import Database, newest_version
from tests.agent.checks.conftest import CheckThat


def snapshot(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Return mode, time and content of everything below a folder."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        status = path.stat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = status.st_mode, status.st_ino, status.st_mtime_ns, content
    return found


def made_as(name: str, folder: Path, schema: str | None = None) -> Path:
    """Make a data directory with a database, of another schema if one is named, and return it."""
    (folder / name).mkdir()
    database = Database.open_file(folder / name / "rolecall.sqlite3")
    if schema is not None:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{schema}'")
    database.close()
    return folder / name


def test_nothing_is_made_where_nothing_is(check: CheckThat, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    assert any(line.startswith("ok database: ") and "none yet" in line for line in check())
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("name", ["data", "50% off? #1"])
def test_a_stopped_installation_stays_as_it_was(check: CheckThat, tmp_path: Path, name: str) -> None:
    made_as("data", tmp_path).rename(tmp_path / name)
    before = snapshot(tmp_path)
    assert f"ok database: {tmp_path / name / 'rolecall.sqlite3'}" in check(data=tmp_path / name)
    assert snapshot(tmp_path) == before


def test_a_running_one_is_seen_as_it_is_now(check: CheckThat, parts: Parts, tmp_path: Path) -> None:
    before = snapshot(tmp_path).keys()
    assert f"ok database: {parts.directory.database}" in check()
    assert snapshot(tmp_path).keys() == before


def test_an_earlier_schema_is_not_upgraded(check: CheckThat, tmp_path: Path) -> None:
    made_as("data", tmp_path, schema="0001")
    before = snapshot(tmp_path)
    assert any(f"schema 0001, this release needs {newest_version()}; `rolecall db upgrade`" in line for line in check())
    assert snapshot(tmp_path) == before


def test_a_later_schema_fails_for_no_upgrade_helps(check: CheckThat, tmp_path: Path) -> None:
    made_as("data", tmp_path, schema="future")
    assert any(line.startswith("FAIL database: ") and "schema future, which is newer" in line for line in check())


def test_control_what_a_check_must_not_do_is_seen(parts: Parts, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    parts.database.call(comments.pause, "a test")
    assert snapshot(tmp_path) != before
