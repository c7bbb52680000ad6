"""Keep a graph's weights in pages of 2 MB. Linux only: elsewhere, and where the system refuses, they stay as they are.

One short text takes all weights of a graph through the processor once (43 MB of MiniLM's), and with pages of 4 KB a
fifth of that time goes into finding them. Only blocks that are used to the last page are joined: memory does not grow.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import re
from collections.abc import Callable, Iterator
from pathlib import Path

BLOCK = 2 * 1024 * 1024
"""Bytes of a large page, as most processors have them; with others the system refuses."""

LEAST = 8 * BLOCK
"""Bytes of the smallest area that is looked at: a graph's weights lie side by side in a larger one."""

APART = 512 * 1024
"""Bytes from which the allocator gives an area of its own, without gaps and returned when freed (mallopt(3))."""

M_MMAP_THRESHOLD = -3  # mallopt(3)
MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25  # madvise(2): join them some time, and at once (Linux 6.1)

_AREA = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0\s")

Run = tuple[int, int]
"""Where neighbouring blocks begin and end: addresses."""


@contextlib.contextmanager
def large_pages(size: int) -> Iterator[None]:
    """Have a graph of so many bytes, which the block loads, kept in large pages from its end on."""
    if size < LEAST:
        yield
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, APART)
    yield
    with contextlib.suppress(OSError, AttributeError):
        join_pages()


def join_pages() -> None:
    """Join the pages of every whole block of this process. Raises OSError where the system tells nothing of them."""
    system = ctypes.CDLL(None)
    residency = ctypes.create_string_buffer(BLOCK // mmap.PAGESIZE)

    def in_use(block: int) -> bool:
        known = system.mincore(ctypes.c_void_p(block), ctypes.c_size_t(BLOCK), residency) == 0
        return known and b"\0" not in residency.raw

    for begin, end in whole_blocks(Path("/proc/self/maps").read_text("utf-8", "replace"), in_use):
        where = ctypes.c_void_p(begin), ctypes.c_size_t(end - begin)
        if system.madvise(*where, MADV_COLLAPSE):
            system.madvise(*where, MADV_HUGEPAGE)


def whole_blocks(maps: str, in_use: Callable[[int], bool]) -> Iterator[Run]:
    """Yield the runs of blocks in use in the larger areas that belong to no file (proc_pid_maps(5))."""
    for found in _AREA.finditer(maps):
        start, stop = int(found[1], 16), int(found[2], 16)
        if stop - start < LEAST:
            continue
        begin = end = -(-start // BLOCK) * BLOCK
        while end + BLOCK <= stop:
            if in_use(end):
                end += BLOCK
                continue
            if begin < end:
                yield begin, end
            begin = end = end + BLOCK
        if begin < end:
            yield begin, end
