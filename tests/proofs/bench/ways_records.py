"""What ran between two moments, in all processes: the window that opens and closes, and the records read afterwards."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

RECORDER = Path(__file__).parent / "ways_recorder"
PACKAGES = ("agent", "connectors", "heuristics")

LOGGING_AND_METRICS = frozenset({"log", "logs", "logging", "metrics", "call_metrics"})
"""Names of files and folders that are not counted: every step of a way passes by them, and none leads on from them."""

CONNECTOR = "connectors/django_helpdesk"


@dataclass(frozen=True, slots=True)
class Call:
    """The first call of a function from a root in one window of one process."""

    window: int
    at: int
    root: str
    path: str
    function: str
    importing: bool


class Records:
    """A folder that processes record into. Only one window is open at a time."""

    def __init__(self, folder: Path, tree: Path) -> None:
        self._folder, self._tree, self._opened = folder, tree, 0
        folder.mkdir()
        (folder / "window").write_bytes(b"\0")
        with (folder / "window").open("r+b") as file:
            self._window = mmap.mmap(file.fileno(), 1)

    def environment(self) -> Mapping[str, str]:
        """Return the variables that a process needs to record; its children inherit them."""
        return {
            "PYTHONPATH": str(RECORDER),
            "WAYS_RECORDS": str(self._folder),
            "WAYS_ROOT": str(self._tree),
            "WAYS_PACKAGES": ",".join(PACKAGES),
        }

    def open(self) -> int:
        """Open the next window and return its number."""
        self._opened += 1
        self._window[0] = self._opened
        return self._opened

    def close(self) -> None:
        """Close the window that is open, in all processes at once."""
        self._window[0] = 0

    def calls(self) -> list[Call]:
        """Return all calls so far, in order of time."""
        lines = (line for file in self._folder.glob("*.jsonl") for line in file.read_text("utf-8").splitlines())
        return sorted((Call(*json.loads(line)) for line in lines), key=lambda call: call.at)


@dataclass(frozen=True, slots=True)
class Way:
    """The files of a way in order of their first call, and those that ran meanwhile but are no part of it."""

    files: tuple[str, ...]
    beside: tuple[str, ...]


def way(calls: Sequence[Call], idle: Iterable[Call]) -> Way:
    """Return the way that calls went, without what runs when nothing happens and what only imports call.

    A call counts unless the same function was called from the same root in the idle time. So a loop that looks for
    work each second does not count, but what it does with the work does.
    """
    anyway = {(call.root, call.path, call.function) for call in idle}
    countable_calls = [call for call in calls if countable(call.path)]
    chosen = (c for c in countable_calls if not c.importing and (c.root, c.path, c.function) not in anyway)
    files = dict.fromkeys(call.path for call in chosen)
    beside = dict.fromkeys(call.path for call in countable_calls if call.path not in files)
    return Way(tuple(files), tuple(beside))


def countable(path: str) -> bool:
    """Return whether a file counts: no `__init__`, no migration, neither logging nor metrics."""
    parts = PurePosixPath(path).with_suffix("").parts
    return parts[-1] != "__init__" and "migrations" not in parts and not LOGGING_AND_METRICS & set(parts)


def of_connector(path: str) -> bool:
    """Return whether a file belongs to the helpdesk's own connector."""
    return path.startswith(CONNECTOR)
