"""Cut keywords into what they match: whole words, case and plural ignored, shorthand unified.

A hit may be negated by the words around it: "without air conditioning", "with add-ons disabled". After NegEx (Chapman
et al., 2001, doi:10.1006/jbin.2001.1029), a negating phrase reaches a few words far and never beyond its clause.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from heuristics.tokens import WORD, Token, fold

HISSING = ("s", "x", "z", "ch", "sh")


KEYWORD_WORD = re.compile(rf"\*?(?:{WORD.pattern})\*?")


@dataclass(frozen=True, slots=True)
class WordPattern:
    """One word of a keyword: a set of forms, or a part of a word with what may stand `before` and `after` it."""

    forms: frozenset[str]
    part: str | None = None
    before: bool = False
    after: bool = False

    def matches(self, form: str) -> bool:
        """Return whether a token's form matches this word."""
        if self.part is None:
            return form in self.forms
        if self.before and self.after:
            return self.part in form
        return form.endswith(self.part) if self.before else form.startswith(self.part)


def compile_phrase(phrase: str) -> tuple[WordPattern, ...]:
    """Turn a keyword into the words that must follow each other.

    `leak*` stands for every word that begins so, `*drucker` for every word that ends so, `*pump*` for every word that
    holds it. Empty where the phrase holds no word.
    """
    return tuple(_compile_word(found[0]) for found in KEYWORD_WORD.finditer(unicodedata.normalize("NFC", phrase)))


def number_forms(word: str) -> frozenset[str]:
    """Return the word with its regular English plural, and its singular where it looks like a plural.

    Made from the keyword rather than by stemming the text: `pipe` finds pipes, `tap` does not find tape.
    """
    if len(word) < 3 or not word.isalpha():
        return frozenset({word})
    forms = {word, word + "es" if word.endswith(HISSING) else word + "s"}
    if word.endswith("y") and word[-2] not in "aeiou":
        forms.add(word[:-1] + "ies")
    if word.endswith("ies") and len(word) > 4:
        forms.add(word[:-3] + "y")
    elif word.endswith("es") and word[:-2].endswith(HISSING):
        forms |= {word[:-2], word[:-1]}
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        forms.add(word[:-1])
    return frozenset(forms)


def follows(tokens: Sequence[Token], at: int, words: Sequence[WordPattern]) -> bool:
    """Return whether the words follow one another in the text, starting at token `at`."""
    return at + len(words) <= len(tokens) and all(
        word.matches(token.form) for word, token in zip(words, tokens[at : at + len(words)], strict=True)
    )


Phrase = tuple[int, Sequence[WordPattern]]
"""Whose phrase it is, and its words."""


class PhraseIndex:
    """Find many phrases in one pass: the first word is looked up, only the phrases that begin so are compared."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_form: dict[str, list[Phrase]] = {}
        self._by_part: dict[tuple[bool, bool], dict[str, list[Phrase]]] = {}
        for phrase in phrases:
            first = phrase[1][0]
            if first.part is None:
                for form in first.forms:
                    self._by_form.setdefault(form, []).append(phrase)
            else:
                table = self._by_part.setdefault((first.before, first.after), {})
                table.setdefault(first.part, []).append(phrase)
        self._lengths = {where: sorted(set(map(len, table))) for where, table in self._by_part.items()}

    def find(self, tokens: Sequence[Token]) -> Iterable[tuple[int, int, int]]:
        """Yield (owner, first token, one past the last token) for every occurrence, overlapping ones included."""
        for at, token in enumerate(tokens):
            for owner, words in self._beginning_with(token.form):
                if follows(tokens, at, words):
                    yield owner, at, at + len(words)

    def _beginning_with(self, form: str) -> Iterator[Phrase]:
        """Yield the phrases whose first word matches."""
        yield from self._by_form.get(form, ())
        for where, table in self._by_part.items():
            for part in _parts(form, self._lengths[where], *where):
                yield from table.get(part, ())


def _parts(form: str, lengths: Sequence[int], before: bool, after: bool) -> Iterable[str]:
    """Yield the parts of a word, of these lengths, that may be a keyword's: its end, its beginning, or any part."""
    for length in lengths:
        if length > len(form):
            return
        if before and after:
            yield from {form[at : at + length] for at in range(len(form) - length + 1)}
        else:
            yield form[-length:] if before else form[:length]


def _compile_word(word: str) -> WordPattern:
    before, after = word.startswith("*"), word.endswith("*")
    form = fold(word.strip("*"))
    return WordPattern(frozenset(), form, before, after) if before or after else WordPattern(number_forms(form))


DEFAULT_NEGATION = ("without _", "unrelated to _", "_ ruled out", "_ disabled")
"""Without "no" and "not": in tickets they report the fault itself ("no light", "VPN not working")."""

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
    """Read `no _` (before the hit), `_ disabled` (after it) or `disabled` (either). Raises ValueError."""
    text = phrase.strip()
    before, after = text.endswith(f" {HIT}"), text.startswith(f"{HIT} ")
    text = text.removesuffix(f" {HIT}").removeprefix(f"{HIT} ")
    words = compile_phrase(text)
    if not words or HIT in text.split() or (before and after):
        raise ValueError(f"{phrase!r} is not a phrase with the hit (_) at one end, such as 'no _' or '_ disabled'")
    return Negation(words, before or not after, after or not before)


def negated(tokens: Sequence[Token], first: int, last: int, negations: Iterable[Negation]) -> bool:
    """Return whether the hit in tokens [first, last) is negated nearby, in its own clause."""
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
