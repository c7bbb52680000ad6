"""A small file system of one's own, and what befalls the database on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

MEGABYTE = 1_048_576

HOLD_LOCK = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE');"
    " print(flush=True); sys.stdin.read()"
)

Trouble = Callable[[Path], AbstractContextManager[None]]
"""Befalls the mounted file system for the length of a block."""


@contextmanager
def small_disk(folder: Path, megabytes: int = 48) -> Iterator[Path]:
    """Mount an ext4 of this size in the folder for the length of a block and yield its root."""
    image, root = folder / "disk.img", folder / "disk"
    root.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes * MEGABYTE)
    _run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
    mounted = subprocess.run(_mount(root), capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a file system of one's own needs the right to mount: {mounted.stderr.strip()}")
    try:
        yield root
    finally:
        _run("umount", str(root))


def database(root: Path) -> Path:
    """Return where a server keeps its database on that disk."""
    return root / "data" / "rolecall.sqlite3"


def free_bytes(root: Path) -> int:
    found = os.statvfs(root)
    return found.f_bavail * found.f_frsize


@contextmanager
def ballast(root: Path, leave: int = 0) -> Iterator[None]:
    """Fill the disk but for so many bytes."""
    file = root / "ballast"
    try:
        with file.open("wb", buffering=0) as heavy:
            while (room := free_bytes(root) - leave) > 0:
                try:
                    heavy.write(bytes(min(room, MEGABYTE)))
                    os.fsync(heavy.fileno())
                except OSError:
                    break
        yield
    finally:
        file.unlink()


@contextmanager
def immutable(root: Path) -> Iterator[None]:
    """Forbid every write to the database, as a file system does that went read-only."""
    files = [str(database(root)), f"{database(root)}-wal"]
    _run("chattr", "+i", *files)
    try:
        yield
    finally:
        _run("chattr", "-i", *files)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Let another process hold the database's lock."""
    command = [sys.executable, "-c", HOLD_LOCK, str(database(root))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"\n"
        yield
        holder.communicate()


@contextmanager
def frozen(root: Path) -> Iterator[None]:
    """Let every write hang, as a disk does that is overloaded or gone."""
    _run("fsfreeze", "--freeze", str(root))
    try:
        yield
    finally:
        _run("fsfreeze", "--unfreeze", str(root))


def abort(root: Path) -> None:
    """Let the file system go read-only for good, as it does by itself after an error of its disk."""
    _run("mount", "-o", "remount,abort", str(root))


def repair(root: Path) -> None:
    """Check and mount it again, as an operator would. Nobody may use it meanwhile."""
    _run("umount", str(root))
    checked = subprocess.run(["e2fsck", "-f", "-y", str(root.with_suffix(".img"))], capture_output=True, text=True)
    assert checked.returncode in (0, 1), checked.stdout  # 1: errors were corrected
    _run(*_mount(root))


def _mount(root: Path) -> list[str]:
    return ["mount", "-o", "loop", str(root.with_suffix(".img")), str(root)]


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
