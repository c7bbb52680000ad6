"""Copies of an SQLite file that may be in use, of one moment each (https://www.sqlite.org/backup.html)."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from agent.errors import NotPossibleYet

BEFORE_UPGRADE = "before-upgrade-"
"""The prefix of copies that were made before the schema changed; they lie beside the database."""

KEPT = 2
SLACK_BYTES = 64 << 20
PAGES = -1
"""All pages in one step: writers go on meanwhile, and the copy never has to begin anew."""


def copy_database(source: Path, target: Path) -> None:
    """Copy a database into a new file, as it is at one moment. Raises NotPossibleYet where it is damaged."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
            reading.backup(writing, pages=PAGES)
            found = writing.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        found = getattr(error, "sqlite_errorname", type(error).__name__)
    if found != "ok":
        raise NotPossibleYet(f"{source} is damaged, so a copy would be, too: restore an earlier backup ({found[:200]})")


def copy_before_upgrade(file: Path, schema: str, now: datetime) -> Path:
    """Copy the database before its schema changes, keep the newest KEPT of such copies, and return the copy's path."""
    if shutil.disk_usage(file.parent).free < file.stat().st_size + SLACK_BYTES:
        needed = (file.stat().st_size + SLACK_BYTES) >> 20
        raise NotPossibleYet(
            f"{needed} MB have to be free in {file.parent}, for a copy before the database is upgraded: make room there"
        )
    target = file.with_name(f"{BEFORE_UPGRADE}from-{schema}-{now:%Y%m%dT%H%M%S%fZ}.sqlite3")
    unfinished = target.with_suffix(".unfinished")
    try:
        copy_database(file, unfinished)
        unfinished.rename(target)
    finally:
        for left in (unfinished, *file.parent.glob(f"{unfinished.name}-*")):
            left.unlink(missing_ok=True)
    by_age = sorted(copies_before_upgrades(file.parent), key=lambda path: path.name.rpartition("-")[2])
    for older in by_age[:-KEPT]:
        older.unlink()
    return target


def copies_before_upgrades(folder: Path) -> list[Path]:
    """Return the copies that upgrades made in a folder."""
    return sorted(folder.glob(f"{BEFORE_UPGRADE}*"))
