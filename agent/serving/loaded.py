"""Keep the most recently used models in memory; concurrent requests for one load it once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from agent.serving.model import RoleModel, load, return_freed_memory


@dataclass
class _Place:
    loading: threading.Lock = field(default_factory=threading.Lock)
    model: RoleModel | None = None


class LoadedModels:
    """The `capacity` models used last; a tuned MiniLM takes about 90 MB. Call it off the event loop: loading waits."""

    def __init__(self, encoders: Path, *, capacity: int, threads: int = 1) -> None:
        self._encoders = encoders
        self._capacity = capacity
        self._threads = threads
        self._places: OrderedDict[Path, _Place] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, folder: Path) -> RoleModel:
        """Return the model in `folder`, whose content never changes. Raises ArtefactError."""
        with self._lock:
            place = self._places.setdefault(folder, _Place())
            self._places.move_to_end(folder)
            while len(self._places) > self._capacity:
                self._places.popitem(last=False)
        with place.loading:
            if place.model is None:
                place.model = load(folder, self._encoders, threads=self._threads)
                return_freed_memory()
            return place.model
