"""Decide whether a hit is denied by the words around it: "without air conditioning", "with add-ons disabled".

After NegEx (Chapman et al., 2001, doi:10.1006/jbin.2001.1029): a negating phrase reaches a few words far and never
beyond its clause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heuristics.words import Token, WordPattern, compile_phrase, follows

DEFAULT_NEGATION = ("no _", "not _", "without _", "never _", "unrelated to _", "_ ruled out", "_ disabled")
REACH = 3
"""Words that may stand between the negating phrase and the hit."""
HIT = "_"


@dataclass(frozen=True, slots=True)
class Negation:
    """One negating phrase, and on which sides of the hit it is looked for."""

    words: tuple[WordPattern, ...]
    before: bool
    after: bool


def compile_negation(phrase: str) -> Negation:
    """Read `no _` (before the hit), `_ disabled` (after it) or `disabled` (either). Raises ValueError, saying why."""
    text = phrase.strip()
    before, after = text.endswith(f" {HIT}"), text.startswith(f"{HIT} ")
    text = text.removesuffix(f" {HIT}").removeprefix(f"{HIT} ")
    words = compile_phrase(text)
    if not words or HIT in text.split() or (before and after):
        raise ValueError(f"{phrase!r} is not a phrase with the hit (_) at one end, such as 'no _' or '_ disabled'")
    return Negation(words, before or not after, after or not before)


def negated(tokens: Sequence[Token], first: int, last: int, negations: Iterable[Negation]) -> bool:
    """Say whether the hit in tokens `first` up to but not including `last` is denied near by, in its own clause."""
    if first >= last:
        return False
    for negation in negations:
        size = len(negation.words)
        starts: list[int] = []
        if negation.before:
            starts += range(max(0, first - size - REACH), first - size + 1)
        if negation.after:
            starts += range(last, last + REACH + 1)
        for at in starts:
            if (
                at >= 0
                and follows(tokens, at, negation.words)
                and tokens[at].clause == tokens[at + size - 1].clause == tokens[first].clause
            ):
                return True
    return False
