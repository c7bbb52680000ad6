"""Weights lie in pages of 2 MB: what is in use is joined, what is not stays free, and nothing in it changes."""

from __future__ import annotations

import ctypes
import mmap
import re
from pathlib import Path

import pytest

from agent.serving.large_pages import BLOCK, LEAST, MADV_COLLAPSE, join_pages, whole_blocks

BASE = 0x7F0000000000
SMAPS = Path("/proc/self/smaps")
ANONYMOUS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS


def listed(start: int, size: int, rights: str = "rw-p", inode: int = 0, path: str = "") -> str:
    return f"{start:x}-{start + size:x} {rights} 00000000 00:00 {inode} {path}\n"


def test_neighbouring_blocks_in_use_are_joined_in_one_go() -> None:
    unused = {BASE + 3 * BLOCK, BASE + 4 * BLOCK}
    runs = list(whole_blocks(listed(BASE, 10 * BLOCK), lambda block: block not in unused))
    assert runs == [(BASE, BASE + 3 * BLOCK), (BASE + 5 * BLOCK, BASE + 10 * BLOCK)]


def test_blocks_lie_on_addresses_of_large_pages() -> None:
    (run,) = whole_blocks(listed(BASE + 4096, LEAST + BLOCK, path="[heap]"), lambda block: True)
    assert run == (BASE + BLOCK, BASE + LEAST + BLOCK)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"size": LEAST - 4096}, id="small"),
        pytest.param({"inode": 7, "path": "/usr/lib/libc.so.6"}, id="of a file"),
        pytest.param({"rights": "r-xp"}, id="not written"),
        pytest.param({"rights": "rw-s"}, id="shared"),
    ],
)
def test_no_other_area_is_looked_at(other: dict[str, int | str]) -> None:
    area = {"size": 10 * BLOCK} | other
    assert not list(whole_blocks(listed(BASE, **area), lambda block: True))  # type: ignore[arg-type]


def in_large_pages(address: int) -> int:
    """Return how many kilobytes of the area that an address lies in are in large pages."""
    for area in re.finditer(r"(?m)^([0-9a-f]+)-([0-9a-f]+) (?s:.)+?AnonHugePages: +(\d+)", SMAPS.read_text("utf-8")):
        if int(area[1], 16) <= address < int(area[2], 16):
            return int(area[3])
    raise AssertionError("nothing lies there")


def test_a_process_joins_what_it_uses_and_nothing_else() -> None:
    system, residency = ctypes.CDLL(None), ctypes.create_string_buffer(1)
    size = LEAST + 2 * BLOCK
    with mmap.mmap(-1, size, ANONYMOUS) as area:
        address = ctypes.addressof(ctypes.c_char.from_buffer(area))
        unused = -(-address // BLOCK) * BLOCK - address  # the first page of the first block
        whole = unused + BLOCK
        for page in range(0, size, mmap.PAGESIZE):
            if page != unused:
                area[page] = page // mmap.PAGESIZE % 251
        content = area[whole:]
        if system.madvise(ctypes.c_void_p(address + whole), ctypes.c_size_t(BLOCK), MADV_COLLAPSE):
            pytest.skip("this system gives no large pages at once (Linux 6.1 does)")
        before = in_large_pages(address + whole)
        join_pages()
        assert in_large_pages(address + whole) > before
        assert area[whole:] == content
        system.mincore(ctypes.c_void_p(address + unused), ctypes.c_size_t(mmap.PAGESIZE), residency)
        assert residency.raw == b"\0", "memory was given to a page that nobody uses"
