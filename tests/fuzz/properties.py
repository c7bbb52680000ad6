"""The property-based half: Hypothesis bends the seeds, edit by edit and value by value, and shrinks what breaks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.connectors import hostile
from tests.fuzz.target import Target

TOKENS = [
    *(b"", b"\0", b"\n", b"\r\n", b"\n\n", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\x1b[2J"),
    *(b"%00", b"%2e%2e/", b"../", b"`", b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"NaN", b"1e999"),
    *(b"-0", b"\\ud800", b"9" * 5_000, b"[" * 3_000, b"{{", b"{%", b"%}", b"#1", b"/role ", b"ok"),
    *(b"\na = ", b"\n[[", b'"""', b"'''", b"1979-05-27", b"\na = " + b"[" * 3_000, b"\na = " + b"[" * 200 + b"]" * 200),
]
MOST_EDITS = 4


def check_properties(target: Target, examples: int) -> int:
    """Check a target with at least `examples` inputs, close it, return with how many. Raises what the target raises."""
    tried = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.target, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(target.seeds))
    def run(data: bytes) -> None:
        nonlocal tried
        tried += 1
        target.check(data)

    try:
        for seed in target.seeds:
            target.check(seed)
        run()
    finally:
        target.close()
    return tried + len(target.seeds)


def inputs(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Return bytes that are noise, a seed with some edits, or a JSON seed with one value exchanged."""
    piece = st.sampled_from(TOKENS) | st.binary(max_size=12) | st.text(max_size=8).map(_encoded)
    edit = st.tuples(st.integers(0, 10_000), st.integers(0, 40), piece)
    edited = st.builds(_edited, st.sampled_from(list(seeds)), st.lists(edit, min_size=1, max_size=MOST_EDITS))
    ways = [edited, edited, st.binary(max_size=300), st.text(max_size=200).map(_encoded)]
    if documents := [split for seed in seeds if (split := _document(seed))]:
        wrong = st.sampled_from(hostile.WRONG)
        ways.append(st.builds(_exchanged, st.sampled_from(documents), st.integers(0, 10_000), wrong))
    return st.one_of(ways)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _edited(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for where, drop, piece in edits:
        at = where % (len(seed) + 1)
        seed = seed[:at] + piece + seed[at + drop :]
    return seed


def _document(seed: bytes) -> tuple[bytes, Any] | None:
    """Return what stands before a JSON object that ends the seed, and the object."""
    start = seed.find(b"{")
    try:
        return (seed[:start], json.loads(seed[start:])) if start >= 0 else None
    except (ValueError, RecursionError):
        return None


def _exchanged(split: tuple[bytes, Any], where: int, value: Any) -> bytes:
    prefix, document = split
    paths = list(hostile.paths(document))
    changed = hostile.exchanged(document, paths[where % len(paths)], value) if paths else value
    return prefix + json.dumps(changed).encode()
