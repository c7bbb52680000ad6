"""Record which functions of a source tree run while a window is open, in each process that finds this on PYTHONPATH.

WAYS_RECORDS names the folder: one byte in its file `window` is the open window's number, 0 while none is, and every
process appends to a file of its own; each line is a JSON list: window, time in ns, root, path, function, importing.
WAYS_ROOT is the tree, WAYS_PACKAGES its folders, separated by commas.

The root of a call is what the event loop or the thread runs: the outermost function of the tree above it. It tells a
request from a loop that turns anyway. Bodies of modules and classes are no functions; what they call while they are
imported is `importing`.
"""

from __future__ import annotations

import inspect
import json
import mmap
import os
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

EVENT_LOOPS = ("asyncio", "uvloop", "uvicorn")
RUNNING = frozenset({"run", "asyncio_run", "run_until_complete", "run_forever", "_run_once", "_run"})
"""Functions of an event loop below which every call belongs to one of its tasks."""

IMPORT = "<frozen importlib._bootstrap>"


def start(records: Path, root: Path, packages: tuple[str, ...]) -> None:
    """Record from now on, in this thread and in every one that is started later."""
    prefixes = tuple(f"{root / package}{os.sep}" for package in packages)
    length = len(str(root)) + 1
    with (records / "window").open("rb") as file:
        window = mmap.mmap(file.fileno(), 1, access=mmap.ACCESS_READ)
    out = os.open(records / f"{os.getpid()}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    paths: dict[str, str | None] = {}
    seen: set[tuple[Any, ...]] = set()

    def path_of(filename: str) -> str | None:
        if filename not in paths:
            paths[filename] = filename[length:] if filename.startswith(prefixes) else None
        return paths[filename]

    def described(frame: FrameType) -> tuple[str, bool]:
        outermost, importing, above = frame, False, frame.f_back
        while above is not None and not turns_loop(above):
            if path_of(above.f_code.co_filename):
                outermost = above
            importing = importing or above.f_code.co_filename == IMPORT
            above = above.f_back
        return f"{path_of(outermost.f_code.co_filename)}:{outermost.f_code.co_qualname}", importing

    def profile(frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event != "call" or not path_of(code.co_filename) or not code.co_flags & inspect.CO_OPTIMIZED:
            return
        if not (number := window[0]):
            return
        call = number, *described(frame), path_of(code.co_filename), code.co_qualname
        if call not in seen:
            seen.add(call)
            number, outermost, importing, path, function = call
            line = json.dumps([number, time.monotonic_ns(), outermost, path, function, importing])
            os.write(out, f"{line}\n".encode())

    threading.setprofile(profile)
    sys.setprofile(profile)


def turns_loop(frame: FrameType) -> bool:
    """Return whether a frame is an event loop's own, with its tasks above it."""
    return frame.f_code.co_name in RUNNING and any(
        f"{os.sep}{name}{os.sep}" in frame.f_code.co_filename for name in EVENT_LOOPS
    )


if "WAYS_RECORDS" in os.environ:
    start(
        Path(os.environ["WAYS_RECORDS"]), Path(os.environ["WAYS_ROOT"]), tuple(os.environ["WAYS_PACKAGES"].split(","))
    )
