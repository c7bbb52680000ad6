r"""Translate regular expressions so that `\w`, `\d` and `\b` know the letters of every script.

RE2 knows ASCII only there (https://github.com/google/re2/wiki/Syntax): `\böl\b` would never hit, and `\bcole\b` would
hit "école". Its character classes know Unicode, so `\w` becomes one. A boundary at an end of the pattern becomes the
character beyond it; one inside becomes an empty group, whose place `Translated.fits` checks after RE2 has matched.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

from heuristics.pattern_tree import Atom, Boundary, Branch, Group, Item, Sign, first_sign, last_sign, parse

LETTERS_END = 0x33480
"""No letter has a greater number; signs that choose a letter's variant begin with E0100."""

LETTERS = r"\pL\pM\pN"
_IN_CLASS = {r"\w": LETTERS + "_", r"\d": r"\p{Nd}", r"\D": r"\P{Nd}"}
_ALONE = {r"\w": f"[{LETTERS}_]", r"\W": f"[^{LETTERS}_]", r"\d": r"\p{Nd}", r"\D": r"\P{Nd}"}
_ESCAPE = re.compile(r"\\(?:[pP]\{\^?\w+\}|.)", re.DOTALL)
_CAPTURES = re.compile(r"\((?!\?)|\(\?P?<")
_FLAGS = re.compile(r"\(\?[imsU-]*\)")

_BEFORE = {Sign.WORD: rf"(?:\A|[^{LETTERS}])", Sign.NO_WORD: f"[{LETTERS}]"}
_AFTER = {Sign.WORD: rf"(?:[^{LETTERS}]|\z)", Sign.NO_WORD: f"[{LETTERS}]"}
r"""What stands beyond a boundary at an end of the pattern, by what stands inside."""


@dataclass(frozen=True, slots=True)
class Translated:
    r"""A pattern for RE2. `wholes`: groups of which one holds the match; `places`: empty groups for `\b` or `\B`."""

    source: str
    wholes: tuple[int, ...] = ()
    places: tuple[tuple[int, str], ...] = ()

    def span(self, found: Any) -> tuple[int, int]:
        """Return where a match of `source` begins and ends, without the characters beyond its boundaries."""
        spans = (found.span(number) for number in (*self.wholes, 0))
        return next((start, end) for start, end in spans if start >= 0)

    def fits(self, found: Any, text: bytes) -> bool:
        """Return whether the boundaries inside a match are boundaries of words in this text, in UTF-8."""
        places = ((found.start(number), boundary) for number, boundary in self.places)
        return all(at < 0 or is_boundary(text, at) == (boundary == r"\b") for at, boundary in places)


BOUNDARY = Item(Boundary(r"\b"))

LONGEST_CHARACTER = 4
"""Bytes, in UTF-8."""


def is_boundary(text: bytes, at: int) -> bool:
    """Return whether a word begins or ends at this place of a text in UTF-8, where a character begins."""
    before = text[max(at - LONGEST_CHARACTER, 0) : at].decode("utf-8", "ignore")[-1:]
    after = text[at : at + LONGEST_CHARACTER].decode("utf-8", "ignore")[:1]
    return _in_word(before) != _in_word(after)


def _in_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character or " ").startswith("M")


def translate(pattern: str) -> Translated:
    """Return a pattern that RE2 accepts with the meaning that people expect. Raises ValueError."""
    writer = _Writer()
    source = "|".join(map(writer.branch, parse(pattern)))
    return Translated(source, tuple(writer.wholes), tuple(writer.places))


@dataclass(slots=True)
class _Writer:
    """Writes a pattern, counting its groups."""

    groups: int = 0
    wholes: list[int] = field(default_factory=list)
    places: list[tuple[int, str]] = field(default_factory=list)

    def branch(self, items: Branch) -> str:
        """Return one of the pattern's alternatives."""
        if items and isinstance(items[0].node, Atom) and _FLAGS.fullmatch(items[0].node.text):
            return items[0].node.text + self.branch(items[1:])
        before = _beyond(items[:1], first_sign(items[1:]), _BEFORE)
        after = _beyond(items[-1:], last_sign(items[:-1]), _AFTER) if len(items) > 1 else ""
        inner = items[bool(before) : len(items) - bool(after)]
        if not before and not after:
            return self._sequence(inner)
        self.wholes.append(self._opened())
        return f"{before}({self._sequence(inner)}){after}"

    def _opened(self) -> int:
        """Return the number of a group that is opened here."""
        self.groups += 1
        return self.groups

    def _sequence(self, items: Branch) -> str:
        return "".join(self._item(items, at) + item.quantifier for at, item in enumerate(items))

    def _item(self, items: Branch, at: int) -> str:
        match items[at].node:
            case Boundary(text):
                return self._boundary(text, last_sign(items[:at]), first_sign(items[at + 1 :]))
            case Group(opener, branches):
                self.groups += bool(_CAPTURES.match(opener))
                return opener + "|".join(map(self._sequence, branches)) + ")"
            case Atom(text):
                return _atom(text)

    def _boundary(self, text: str, before: Sign, after: Sign) -> str:
        r"""Return what RE2 can check of a boundary, and a group at its place.

        To RE2, a letter beyond ASCII is no word: beside one, a boundary is none to it.
        """
        known = ""
        if text == r"\b":
            sides = (before, after)
            known = r"\b" if Sign.ASCII_WORD in sides else r"\B" if Sign.OTHER_WORD in sides else ""
        self.places.append((self._opened(), text))
        return known + "()"


def _beyond(edge: Branch, inside: Sign, beyond: dict[Sign, str]) -> str:
    r"""Return what stands beyond a `\b` at an end of the pattern; "" for another edge, or one that it cannot tell."""
    if edge != (BOUNDARY,) or not inside:
        return ""
    return next((written for sign, written in beyond.items() if inside in sign), "")


def _atom(text: str) -> str:
    if text.startswith("["):
        return text[0] + _ESCAPE.sub(lambda found: _in_class(found[0]), text[1:])
    return _ALONE.get(text, text)


def _in_class(escape: str) -> str:
    return _no_word() if escape == r"\W" else _IN_CLASS.get(escape, escape)


@cache
def _no_word() -> str:
    r"""Return the inside of a character class with all that `\w` is not: RE2 cannot take one class from another."""
    outside = (n for n in range(LETTERS_END) if unicodedata.category(chr(n))[0] not in "LMN" and n != ord("_"))
    runs = ([n for _, n in run] for _, run in groupby(enumerate(outside), key=lambda pair: pair[1] - pair[0]))
    return "".join(rf"\x{{{run[0]:x}}}-\x{{{run[-1]:x}}}" for run in runs) + rf"\x{{{LETTERS_END:x}}}-\x{{e00ff}}"
