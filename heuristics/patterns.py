"""Find regular expressions in a text.

Patterns cannot hang: RE2 matches in time linear in the text, where Python's `re` takes hours for `(a+)+$` on 40
letters. What would need backtracking (look-around, back-references) is refused when the rules are loaded.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import re2  # type: ignore[import-untyped]  # google-re2 ships no stubs

from heuristics.pattern_tree import filter_of
from heuristics.word_boundaries import Translated, translate

MAX_MATCHES = 100
"""Matches looked for per pattern and text: each search is linear, but `a(.*z)?` in "aaaa..." makes one per letter."""
GROUP = 32
"""Patterns that one search looks for at once; 1,000 patterns then cost 0.15 ms on a short ticket, singly 3.5 ms."""


def fault_in(pattern: str) -> str | None:
    """Return why a pattern cannot be used, or None if it can."""
    try:
        re2.compile(pattern, _options())
        compiled = _compile(pattern)
    except re2.error as exc:
        reason = exc.args[0] if exc.args else "not a regular expression"
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    except ValueError as exc:
        return str(exc)
    if compiled.expression.search(b"") is not None:
        return "matches the empty text, so it would hit every ticket"
    return None


@dataclass(frozen=True, slots=True)
class _Compiled:
    expression: Any
    translated: Translated

    def find(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Yield the start and end of each non-empty match in a text in UTF-8, looking MAX_MATCHES times."""
        at = 0
        for _ in range(MAX_MATCHES):
            found = self.expression.search(text, at)
            if found is None:
                return
            start, end = self.translated.span(found)
            if start < end and self.translated.fits(found, text):
                yield start, end
                at = end
            else:
                at = _next_character(text, found.start())


class PatternIndex:
    """All patterns, in groups that are searched at once to find whether any member occurs.

    Not RE2's own set of patterns: it is refused as too large where these groups still work.
    """

    def __init__(self, patterns: Iterable[tuple[int, str]]) -> None:
        self._groups = [_compile_group(members) for members in _batches(patterns)]

    def find(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Yield (owner, start, end) in characters of each non-empty match, the first MAX_MATCHES of each pattern."""
        encoded = text.encode("utf-8", "replace")  # RE2 reads UTF-8: a lone surrogate becomes one "?"
        for any_member, members in self._groups:
            if any_member is not None and any_member.search(encoded) is None:
                continue
            for owner, compiled in members:
                at = characters = 0
                for start, end in compiled.find(encoded):
                    first = characters + len(encoded[at:start].decode())
                    at, characters = end, first + len(encoded[start:end].decode())
                    yield owner, first, characters


def _next_character(text: bytes, at: int) -> int:
    at += 1
    while at < len(text) and text[at] & 0xC0 == 0x80:
        at += 1
    return at


def _batches(patterns: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    remaining = iter(patterns)
    while batch := list(islice(remaining, GROUP)):
        yield batch


def _compile(pattern: str) -> _Compiled:
    """Compile one pattern, its letters composed as those of a ticket's text are. Raises re2.error, ValueError."""
    translated = translate(_composed(pattern))
    return _Compiled(re2.compile(translated.source, _options()), translated)


def _composed(pattern: str) -> str:
    return unicodedata.normalize("NFC", pattern)


def _compile_group(patterns: Sequence[tuple[int, str]]) -> tuple[Any, list[tuple[int, _Compiled]]]:
    """Return one expression for all members (None where RE2 refuses it, say for its size) and each by itself."""
    members = [(owner, _compile(pattern)) for owner, pattern in patterns]
    try:
        return re2.compile(
            "|".join(f"(?:{filter_of(_composed(pattern))})" for _, pattern in patterns), _options()
        ), members
    except re2.error:
        return None, members


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options
