r"""Read a regular expression of RE2's syntax as a tree, as far as word boundaries need it.

`filter_of` makes of it a pattern that matches wherever the first one does, at a fraction of its cost, so that few texts
need that one. Every character beyond ASCII may be a letter to the filter. Many patterns are searched at once; exact
classes of all scripts' letters would not fit into RE2's memory then, and a search would take a thousand times as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Flag, auto


class Sign(Flag):
    """What a sign is to a word boundary. An underscore belongs to no word."""

    ASCII_WORD = auto()
    OTHER_WORD = auto()
    NO_WORD = auto()
    WORD = ASCII_WORD | OTHER_WORD
    ANY = WORD | NO_WORD


def sign_of(character: str) -> Sign:
    """Return what one character is."""
    if not character.isalnum():
        return Sign.NO_WORD if character.isascii() else Sign.ANY  # it may combine with a letter
    return Sign.ASCII_WORD if character.isascii() else Sign.OTHER_WORD


@dataclass(frozen=True, slots=True)
class Atom:
    """What matches one character, or the beginning or the end of the text."""

    text: str
    sign: Sign


@dataclass(frozen=True, slots=True)
class Boundary:
    r"""A word boundary, or the lack of one (`\B`)."""

    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """Alternatives in brackets; `opener` is what stands before the first."""

    opener: str
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A part of a sequence, and how often it is repeated (`*`, `{2,3}?`, or "")."""

    node: Atom | Boundary | Group
    quantifier: str = ""

    @property
    def optional(self) -> bool:
        """Whether it may match nothing."""
        return isinstance(self.node, Boundary) or self.quantifier.startswith(("*", "?", "{0"))


Branch = tuple[Item, ...]
Edge = Callable[[Sequence[Item]], Sign]

DEEPEST = 100
"""Brackets within brackets."""

_UNIT = re.compile(
    r"\\(?:[pP](?:\{\^?\w+\}|\w)|x\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}|[0-7]{1,3}|.)"
    r"|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]"
    r"|\((?:\?(?:P?<\w+>|[imsU-]*[:)]))?"
    r"|(?:[*+?]|\{\d+(?:,\d*)?\})\??"
    r"|.",
    re.DOTALL,
)
_LITERAL = re.compile(r"\\Q(.*?)(?:\\E|$)|\\.", re.DOTALL)
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_ESCAPED = {"w": Sign.WORD, "d": Sign.WORD, "W": Sign.NO_WORD, "D": Sign.ANY, "S": Sign.ANY}
_BEYOND_ASCII = re.compile(r"\\[wWdDS]|[^\x00-\x7f]")
_ASCII = tuple(map(chr, range(128)))


def parse(pattern: str) -> tuple[Branch, ...]:
    """Return the alternatives of a pattern that RE2 accepts. Raises ValueError where brackets nest too deeply."""
    plain = _LITERAL.sub(lambda found: found[0] if found[1] is None else re.escape(found[1]), pattern)
    branches, _ = _branches(_UNIT.findall(plain), 0, 0)
    return branches


def _branches(units: Sequence[str], at: int, depth: int) -> tuple[tuple[Branch, ...], int]:
    """Return the alternatives from unit `at` on, and the place of the bracket that ends them."""
    if depth > DEEPEST:
        raise ValueError(f"has more than {DEEPEST} brackets within each other")
    branches: list[list[Item]] = [[]]
    while at < len(units) and units[at] != ")":
        unit = units[at]
        node: Atom | Boundary | Group
        if unit == "|":
            branches.append([])
        elif branches[-1] and _QUANTIFIER.fullmatch(unit):
            last = branches[-1].pop()
            branches[-1].append(Item(last.node, last.quantifier + unit))
        else:
            if unit.startswith("(") and not unit.endswith(")"):
                inner, at = _branches(units, at + 1, depth + 1)
                node = Group(unit, inner)
            else:
                node = Boundary(unit) if unit in (r"\b", r"\B") else Atom(unit, _sign(unit))
            branches[-1].append(Item(node))
        at += 1
    return tuple(map(tuple, branches)), at


def _sign(unit: str) -> Sign:
    if len(unit) == 1:
        return Sign.ANY if unit == "." else sign_of(unit)
    if unit.startswith("["):
        return _sign_of_class(unit)
    if unit.startswith("\\") and len(unit) == 2 and (unit[1] in _ESCAPED or not unit[1].isdigit()):
        return _ESCAPED.get(unit[1], Sign.NO_WORD if unit[1].isascii() else sign_of(unit[1]))
    return Sign.ANY


def _sign_of_class(unit: str) -> Sign:
    if unit.startswith("[^") or "[:" in unit or re.search(r"\\[pPx0-7]", unit):
        return Sign.ANY
    try:
        members = re.compile(unit, re.IGNORECASE | re.ASCII)
    except re.error:
        return Sign.ANY
    outside = _BEYOND_ASCII.findall(unit)
    found = Sign(0) if not outside else Sign.OTHER_WORD if all(map(_spells, outside)) else Sign.ANY
    for character in filter(members.match, _ASCII):
        found |= sign_of(character)
    return found


def _spells(unit: str) -> bool:
    return unit in (r"\w", r"\d") or sign_of(unit) is Sign.OTHER_WORD


def first_sign(items: Sequence[Item]) -> Sign:
    """Return what the first character that a sequence matches may be; anything where it may match nothing."""
    found = Sign(0)
    for item in items:
        found |= _edge(item, first_sign)
        if not item.optional:
            return found
    return Sign.ANY


def last_sign(items: Sequence[Item]) -> Sign:
    """Return what the last character that a sequence matches may be; anything where it may match nothing."""
    found = Sign(0)
    for item in reversed(items):
        found |= _edge(item, last_sign)
        if not item.optional:
            return found
    return Sign.ANY


def _edge(item: Item, of: Edge) -> Sign:
    match item.node:
        case Atom(_, sign):
            return sign
        case Group(_, branches):
            found = Sign(0)
            for branch in branches:
                found |= of(branch)
            return found
    return Sign(0)


_BEYOND = r"\x{80}-\x{10ffff}"
_LARGEST = {r"\w": r"\w" + _BEYOND, r"\d": r"\d" + _BEYOND}
_SMALLEST = {r"\W": r"\x00-/:-@\[-^`{-\x7f", r"\D": r"\x00-/:-\x7f"}
_ESCAPE = re.compile(r"\\(?:[pP]\{\^?\w+\}|.)", re.DOTALL)
_FLAGGED = re.compile(r"\(\?[imsU-]+:")

_EDGE = {Sign.ASCII_WORD: r"(?:\b|_)", Sign.OTHER_WORD: r"(?:\B|_)"}
"""What must be at a word boundary at an end of a pattern, by what stands inside: RE2 counts `_` to a word."""


def filter_of(pattern: str) -> str:
    """Return a pattern without groups that matches every text that `pattern` matches. Raises ValueError."""
    return "|".join(map(_branch, parse(pattern)))


def _branch(items: Branch) -> str:
    before = _EDGE.get(first_sign(items[1:]), "") if _bounded(items[:1]) else ""
    after = _EDGE.get(last_sign(items[:-1]), "") if len(items) > 1 and _bounded(items[-1:]) else ""
    return before + _sequence(items) + after


def _bounded(edge: Branch) -> bool:
    return bool(edge) and edge[0].node == Boundary(r"\b")


def _sequence(items: Branch) -> str:
    return "".join(_node(item.node) + item.quantifier for item in items)


def _node(node: Atom | Boundary | Group) -> str:
    match node:
        case Group(opener, branches):
            return (opener if _FLAGGED.match(opener) else "(?:") + "|".join(map(_sequence, branches)) + ")"
        case Atom(text) if text.startswith("["):
            known = _SMALLEST if text.startswith("[^") else _LARGEST
            return text[0] + _ESCAPE.sub(lambda found: known.get(found[0], found[0]), text[1:])
        case Atom(text):
            return f"[{_LARGEST[text]}]" if text in _LARGEST else text
    return "(?:)"
