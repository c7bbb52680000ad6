"""The model in use: follows the ACTIVE pointer, and never replaces a working model with a broken one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from agent.serving.artefact import ArtefactError
from agent.serving.model import RoleModel, return_freed_memory
from agent.serving.registry import POINTER, BrokenPointer, Pointer, read_pointer

Model = TypeVar("Model", bound=RoleModel, covariant=True)


@dataclass(frozen=True, slots=True)
class _Seen:
    inode: int
    modified: int  # nanoseconds
    changed: int  # nanoseconds, also of its owner and mode
    refused: int = 0
    """The latest change to the files of the version that could not be used: whoever mends one need not restart."""


class ActiveModel(Generic[Model]):
    """Holds the current model, or None. Readers take `current` once and keep it for their request.

    `load` reads the folder of a version, and raises ArtefactError where it cannot be used.
    """

    def __init__(self, models: Path, load: Callable[[Path], Model]) -> None:
        self._models = models
        self._load = load
        self._seen: _Seen | None = None
        self._refused: Path | None = None
        self._loading = threading.Lock()
        self._outdated = False
        self.current: Model | None = None
        self.problem: str | None = None
        """Why the model that should serve does not, in one line."""

    def refresh(self) -> bool:
        """Load the version that the pointer names, if it moved, and return whether the model changed.

        Costs one `stat` when nothing moved; loading takes part of a second: call it off the event loop. A model that
        cannot be loaded leaves the old one in place; without an old one, the predecessor is tried.
        """
        with self._loading:
            seen = self._stat()
            if seen == self._seen:
                return False
            changed = self._follow_pointer()
            self._seen = (
                replace(seen, refused=self._change()) if seen else None
            )  # only now: if the database fails meanwhile, the next refresh tries again
            if changed:
                return_freed_memory()
            return changed

    def read_again(self) -> None:
        """Have the next refresh load what serves once more: what it was loaded for has changed."""
        with self._loading:
            self._seen, self._outdated = None, True

    def _follow_pointer(self) -> bool:
        try:
            pointer = read_pointer(self._models)
        except BrokenPointer as error:
            self.problem = str(error)
            return False
        if pointer is None:
            self.problem = self._refused = None
            changed, self.current = self.current is not None, None
            return changed
        return self._follow(pointer)

    def _follow(self, pointer: Pointer) -> bool:
        if self.current is not None and self.current.version == pointer.version and not self._outdated:
            self.problem = self._refused = None
            return False
        try:
            self.current = self._load(self._models / pointer.version)
        except ArtefactError as error:
            self.problem, self._refused = str(error), self._models / pointer.version
            if self.current is not None or pointer.predecessor is None:
                return False
            return self._fall_back(pointer.predecessor)
        self.problem, self._refused, self._outdated = None, None, False
        return True

    def _fall_back(self, version: str) -> bool:
        try:
            self.current = self._load(self._models / version)
        except ArtefactError as error:
            self.problem = f"{self.problem}; {error}"
            return False
        return True

    def _stat(self) -> _Seen | None:
        try:
            status = (self._models / POINTER).stat()
        except OSError:
            return None
        return _Seen(status.st_ino, status.st_mtime_ns, status.st_ctime_ns, self._change())

    def _change(self) -> int:
        """Return when a file of the refused version last changed, 0 where none is refused or it cannot be looked at."""
        try:
            paths = (self._refused, *self._refused.iterdir()) if self._refused else ()
            return max((path.stat().st_ctime_ns for path in paths), default=0)
        except OSError:
            return 0
