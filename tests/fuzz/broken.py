"""Parsers with a fault each, to see that faults are found."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fuzz.target import Target


def careless_parser(_scratch: Path) -> Target:
    """Divides by a count that strangers choose, behind three conditions."""

    def check(data: bytes) -> None:
        if careless_lines(data) > 1_000_000:
            raise AssertionError("unreachable")

    return Target(check, [b"pages 10 per 5", b"rows 7 per 7"])


def careless_lines(data: bytes) -> int:
    words = data.split(b" ")
    if len(words) != 3:
        return 0
    if not words[0].startswith(b"p"):
        return 0
    if not words[2].isdigit():
        return 0
    return 10 // int(words[2])


def raw_standard_library(_scratch: Path) -> Target:
    """Takes json.loads at its word: ValueError is said to be all that it raises, and a dict what it returns."""

    def check(data: bytes) -> None:
        try:
            json.loads(data)["ticket"]
        except (ValueError, KeyError):
            return

    return Target(check, [b'{"ticket": {"id": 1}}', b'{"ticket": []}'])
