r"""Make a pattern that matches wherever another one does, at a fraction of its cost, so that few texts need the other.

Every character beyond ASCII may be a letter to it. Many patterns are searched at once; exact classes of all scripts'
letters would not fit into RE2's memory then, and a search would take a thousand times as long.
"""

from __future__ import annotations

import re

from heuristics.pattern_tree import Atom, Boundary, Branch, Group, Sign, first_sign, last_sign, parse

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
