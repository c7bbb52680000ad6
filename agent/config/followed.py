"""Follow a file of the operator's: read it again when it changes, and keep what was read before while it is faulty."""

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
        self._seen = self._stat()

    def refresh(self, again: bool = False) -> T | None:
        """Return what the file says where it has changed, or else None; a look at it where it has not.

        `again`: read it even so, since what it refers to has changed.
        """
        seen = self._stat()
        if seen == self._seen and not again:
            return None
        self._seen = seen
        try:
            fresh = self._read(self.path)
        except ConfigurationError as error:
            self.problem = str(error)
            log.warning("file_kept", file=self.path.name, reason=self.problem)
            return None
        self.problem = ""
        log.info("file_read", file=self.path.name)
        return fresh

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
