"""Check that the server can read all that lies in the data directory, and nobody else can."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from agent.checks.finding import Finding, fail, ok, warn
from agent.checks.installation import Installation
from agent.data_directory import OTHERS

SHOWN = 3


def ownership(installation: Installation) -> Iterator[Finding]:
    """Yield files of another owner than the directory's, and what others may read."""
    folder = installation.directory.path
    if not folder.is_dir():
        return
    owner, strange, open_to_others = folder.stat().st_uid, [], []
    for path in (folder, *_below(folder)):
        status = path.lstat()
        if status.st_uid != owner:
            strange.append(path)
        if not stat.S_ISLNK(status.st_mode) and status.st_mode & OTHERS:
            open_to_others.append(path)
    if strange:
        text = f"{_named(strange)}: of another user than {folder}, so the server may not read it"
        yield fail("owners", f"{text}; chown -R --reference {folder} {folder}")
    if open_to_others:
        yield warn(
            "modes", f"{_named(open_to_others)}: others may read it; chmod -R go= {folder}, or start `serve` once"
        )
    if not strange and not open_to_others:
        yield ok("owners and modes", f"all in {folder} is its owner's, and nobody else's")


def _below(folder: Path) -> Iterator[Path]:
    """Yield what lies below a folder, except where this user may not look."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent) / name for name in (*folders, *files))


def _named(paths: list[Path]) -> str:
    more = len(paths) - SHOWN
    return ", ".join(map(str, paths[:SHOWN])) + (f" and {more} more" if more > 0 else "")
