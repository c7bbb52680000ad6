r"""Regular expressions that cannot hang: RE2 matches in time linear in the text, whatever the pattern.

Python's `re` backtracks: `(a+)+$` on 40 letters takes hours. RE2 refuses what would need backtracking (look-around,
back-references) when the rules are loaded, and searches all patterns in one pass. Its syntax, in which `\w` and `\b`
are ASCII: https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import re2  # type: ignore[import-untyped]  # google-re2 ships no stubs

MAX_MEMORY = 64 << 20
"""Bytes that the automaton of all patterns may take; RE2's own default of 8 MB holds a few hundred patterns."""


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
    """All patterns of a rule set: one pass tells which occur, only these are then located."""

    def __init__(self, patterns: Sequence[tuple[int, str]]) -> None:
        options = _options()
        self._compiled = [(owner, re2.compile(pattern, options)) for owner, pattern in patterns]
        self._set = re2.Set.SearchSet(options)
        for _, pattern in patterns:
            self._set.Add(pattern)
        if patterns:
            self._set.Compile()

    def find(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Yield (owner, start, end) in characters of each non-empty match of each pattern."""
        if not self._compiled or not text:
            return
        text = text.encode("utf-8", "replace").decode("utf-8")  # RE2 reads UTF-8: a lone surrogate becomes one "?"
        for index in sorted(self._set.Match(text) or ()):
            owner, compiled = self._compiled[index]
            for found in compiled.finditer(text):
                start, end = found.span()
                if start < end:
                    yield owner, start, end


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    return options
