"""Training processes that a process has started: only these, for a session of tests has other children, too."""

from __future__ import annotations

import os
from pathlib import Path

TRAINING = b"agent.fitting.process"


def training_processes(parent: int | None = None) -> list[int]:
    """Return the ids of the living training processes that are children of a process, this one by default."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, ppid = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if int(ppid) == (parent or os.getpid()) and state != "Z" and TRAINING in words:
                found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
