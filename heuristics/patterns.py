r"""Regular expressions that cannot hang: RE2 matches in time linear in the text, whatever the pattern.

Python's `re` backtracks: `(a+)+$` on 40 letters takes hours. RE2 refuses what would need backtracking (look-around,
back-references) when the rules are loaded. Its syntax, in which `\w` and `\b` are ASCII:
https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import re2  # type: ignore[import-untyped]  # google-re2 ships no stubs

MAX_MATCHES = 100
"""Matches looked for per pattern and text: each search is linear, but `a(.*z)?` in "aaaa..." makes one per letter."""
GROUP = 32
"""Patterns that one search looks for at once; 1,000 patterns then cost 0.15 ms on a short ticket, singly 3.5 ms."""


def fault_in(pattern: str) -> str | None:
    """Say why a pattern cannot be used, or None."""
    try:
        compiled = re2.compile(pattern, _options())
    except re2.error as exc:
        reason = exc.args[0] if exc.args else "not a regular expression"
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    if compiled.search("") is not None:
        return "matches the empty text, so it would hit every ticket"
    return None


class PatternIndex:
    """All patterns, in groups of which one search tells whether any member occurs.

    Not RE2's own set of patterns: it is refused as too large where these groups still work.
    """

    def __init__(self, patterns: Iterable[tuple[int, str]]) -> None:
        self._groups = [_compile_group(members) for members in _batches(patterns)]

    def find(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Yield (owner, start, end) in characters of each non-empty match, the first MAX_MATCHES of each pattern."""
        text = text.encode("utf-8", "replace").decode("utf-8")  # RE2 reads UTF-8: a lone surrogate becomes one "?"
        for any_member, members in self._groups:
            if any_member is not None and any_member.search(text) is None:
                continue
            for owner, compiled in members:
                for found in islice(compiled.finditer(text), MAX_MATCHES):
                    start, end = found.span()
                    if start < end:
                        yield owner, start, end


def _batches(patterns: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    remaining = iter(patterns)
    while batch := list(islice(remaining, GROUP)):
        yield batch


def _compile_group(patterns: Sequence[tuple[int, str]]) -> tuple[Any, list[tuple[int, Any]]]:
    """Return one expression for all members (None where RE2 refuses it, say for its size) and each by itself."""
    options = _options()
    members = [(owner, re2.compile(pattern, options)) for owner, pattern in patterns]
    try:
        return re2.compile("|".join(f"(?:{pattern})" for _, pattern in patterns), options), members
    except re2.error:
        return None, members


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options
