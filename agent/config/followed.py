"""Follow a file of the operator's: read it again when it changes, and keep what was read before while it is faulty.

Many editors empty a file before they write it, and half a file may be valid: a change counts once two looks, one after
the other, find the file the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from agent.errors import ConfigurationError

T = TypeVar("T")

log = structlog.get_logger()


class Followed(Generic[T]):
    """A file, and what it says. `problem`: why what it says now is not in force, "" where it is."""

    def __init__(self, path: Path, read: Callable[[Path], T]) -> None:
        self.path, self.problem = path, ""
        self._read = read
        self._read_at = self._last_look = self._stat()
        self._due = False

    def refresh(self, again: bool = False, whole: bool = False) -> T | None:
        """Return what the file says where it has changed and is at rest, or else None; a look at it where it has not.

        `again`: read it even so, since what it refers to has changed. `whole`: whoever calls knows that it was replaced
        at once, not written bit by bit.
        """
        seen, before = self._stat(), self._last_look
        self._last_look = seen
        self._due = self._due or again or seen != self._read_at
        if not self._due or not (whole or seen == before):
            return None
        fresh, problem = None, ""
        try:
            fresh = self._read(self.path)
        except ConfigurationError as error:
            problem = str(error)
        if self._stat() != seen:  # somebody writes just now
            return None
        self._read_at, self._due, self.problem = seen, False, problem
        if problem:
            log.warning("file_kept", file=self.path.name, reason=problem)
        else:
            log.info("file_read", file=self.path.name)
        return fresh

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
