r"""Patterns: `\b`, `\w` and `\d` mean the words, letters and digits of every script."""

from __future__ import annotations

import re
from datetime import date

import pytest
import re2  # type: ignore[import-untyped]  # google-re2 ships no stubs
from hypothesis import given
from hypothesis import strategies as st

from heuristics import Rule, RuleSet
from heuristics.pattern_tree import DEEPEST, filter_of
from heuristics.patterns import PatternIndex, fault_in
from heuristics.word_boundaries import translate

TODAY = date(2024, 5, 17)


def phrases(pattern: str, text: str) -> list[str]:
    return [hit.phrase for hit in RuleSet([Rule("r", "Role", patterns=(pattern,))]).match("", text, TODAY)]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"\b(öl|überdruck)\b", "Öl läuft, überdruck! Öle, Möl", ["Öl", "überdruck"]),
        (r"\b(caf|café)\b", "café caf cafés", ["café", "caf"]),
        (r"\bcole\b", "école, cole", ["cole"]),
        (r"\bdruck\b", "überdruck, Druck, ädruckä", ["Druck"]),
        (r"\bk(ü|ue)hlger\w+t\b", "Kühlgerät und Kuehlgeräät", ["Kühlgerät", "Kuehlgeräät"]),
        (r"\böl\b.{0,9}\bleck\b", "Öl am Leck, Öl und Lecker", ["Öl am Leck"]),
        (r"(?:\böl\b|\bdruck\b)", "öl, ödruck, druck", ["öl", "druck"]),
        (r"\bE\d+\b|\böl\b", "E12 öl E12ä", ["E12", "öl"]),
        (r"(?i)\böl\b", "ÖL", ["ÖL"]),
        (r"^\böl\b", "öl öl", ["öl"]),
        (r"\bпомп\w*\b", "Помпа, насоспомпа", ["Помпа"]),
        (r"पंप\b", "पंप, पंपा", ["पंप"]),
        (r"\burgent\b", "_urgent_", ["urgent"]),
        (r"\bfoo_bar\b", "foo_bar", ["foo_bar"]),
        (r"\bc\+\+", "C++, ac++", ["C++"]),
        (r"c\+\+\b", "C++, C++x", ["C++"]),
        (r"\Bdruck\b", "überdruck, druck", ["druck"]),
        (r"\w+", "öläß é_3", ["öläß", "é_3"]),
        (r"\W+x", "ä--x", ["--x"]),
        (r"[\W_]+x", "ä--_x", ["--_x"]),
        (r"[^\W\d_]+", "12äöé_3", ["äöé"]),
        (r"\d{2}\D", "٣٤ ", ["٣٤ "]),
        (r"\Qa.b\E\b", "a.b axb", ["a.b"]),
        (r"\\Qx", r"\Qx", [r"\Qx"]),
        ("o\u0308l", "Öl", ["Öl"]),
        (r"(?P<a>\bx)\b", "x", ["x"]),
    ],
)
def test_a_pattern_knows_the_letters_of_every_script(pattern: str, text: str, found: list[str]) -> None:
    assert fault_in(pattern) is None
    assert phrases(pattern, text) == found


def test_a_pattern_with_too_many_brackets_is_refused() -> None:
    assert fault_in("(" * DEEPEST + "x" + ")" * DEEPEST) is None
    assert "brackets" in (fault_in("(" * (DEEPEST + 1) + "x" + ")" * (DEEPEST + 1)) or "")


PIECES = [r"\b", r"\w", r"\W", r"\d", "öl", "a", "[äb]", r"[^\w]", r"[\W_]", "(?:", ")", "(", "|", "+", "?", ".", "_"]
TEXTS = st.text(alphabet="aböälB _-3٣漏", max_size=12)


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join), st.lists(TEXTS, max_size=4))
def test_what_many_patterns_are_looked_for_by_at_once_misses_none_of_them(pattern: str, texts: list[str]) -> None:
    if fault_in(pattern) is not None:
        return
    exact, rough = re2.compile(translate(pattern).source), re2.compile(filter_of(pattern))
    for text in texts:
        assert rough.search(text) or not exact.search(text)
        for _, start, end in PatternIndex([(0, pattern)]).find(text):
            assert 0 <= start < end <= len(text)


@given(st.lists(st.sampled_from(["öl", "a", "漏", r"\b", r"\w"]), min_size=1, max_size=5).map("".join), TEXTS)
def test_a_pattern_hits_where_pythons_own_expressions_do(pattern: str, text: str) -> None:
    """Python's `re` knows all letters; to it, an underscore is one."""
    text = text.replace("_", " ")
    expected = re.search(pattern, text, re.IGNORECASE)
    if fault_in(pattern) is None:
        found = next(PatternIndex([(0, pattern)]).find(text), None)
        assert (found and found[1:]) == (expected.span() if expected else None)
