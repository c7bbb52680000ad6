"""Cut text into words, and keywords into what they match: whole words, case and plural ignored, shorthand unified.

A hit may be negated by the words around it: "without air conditioning", "with add-ons disabled". After NegEx (Chapman
et al., 2001, doi:10.1006/jbin.2001.1029), a negating phrase reaches a few words far and never beyond its clause.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHORTHAND = r"[^\W\d_](?:[/.&][^\W\d_])+(?!\w)"  # L/H, A/C, a.m., P&H: single letters joined by a mark are one word
WORD = re.compile(SHORTHAND + r"|\w+(?:['’]\w+)*")
KEYWORD_WORD = re.compile(rf"(?:{WORD.pattern})\*?")
MARKS = str.maketrans("", "", "/.&'’")
CLAUSE_END = re.compile(r"[.!?;:](?=\s|$)|\n\s*\n")
CLAUSE_WORDS = frozenset({"but", "however"})  # the terms that end a negation's reach in NegEx
HISSING = ("s", "x", "z", "ch", "sh")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text: `form` is what is compared, `start` and `end` are character offsets, `clause` counts up."""

    form: str
    start: int
    end: int
    clause: int


@dataclass(frozen=True, slots=True)
class WordPattern:
    """One word of a keyword: a set of forms, or a beginning."""

    forms: frozenset[str]
    prefix: str | None = None

    def matches(self, form: str) -> bool:
        """Return whether a token's form matches this word."""
        return form.startswith(self.prefix) if self.prefix is not None else form in self.forms


def tokenise(text: str) -> list[Token]:
    """Return the words of a text in order; time is linear in its length."""
    tokens: list[Token] = []
    clause, last = 0, 0
    for found in WORD.finditer(text):
        form = fold(found[0])
        if CLAUSE_END.search(text, last, found.start() + 1) or form in CLAUSE_WORDS:
            clause += 1
        tokens.append(Token(form, found.start(), found.end(), clause))
        last = found.end()
    return tokens


def fold(word: str) -> str:
    """Return the form of a word that is compared: no case, no compatibility variants, no apostrophe or joining mark."""
    return unicodedata.normalize("NFKC", word).casefold().translate(MARKS)


def compile_phrase(phrase: str) -> tuple[WordPattern, ...]:
    """Turn a keyword into the words that must follow each other; `leak*` stands for every word that begins so.

    Empty where the phrase holds no word.
    """
    return tuple(_compile_word(found[0]) for found in KEYWORD_WORD.finditer(phrase))


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


class PhraseIndex:
    """Find many phrases in one pass: the first word is looked up, only the phrases that begin so are compared."""

    def __init__(self, phrases: Iterable[tuple[int, Sequence[WordPattern]]]) -> None:
        self._by_form: dict[str, list[tuple[int, Sequence[WordPattern]]]] = {}
        self._by_prefix: dict[str, list[tuple[int, Sequence[WordPattern]]]] = {}
        for owner, words in phrases:
            first = words[0]
            table = self._by_form if first.prefix is None else self._by_prefix
            for form in first.forms if first.prefix is None else (first.prefix,):
                table.setdefault(form, []).append((owner, words))
        self._prefix_lengths = sorted({len(prefix) for prefix in self._by_prefix})

    def find(self, tokens: Sequence[Token]) -> Iterable[tuple[int, int, int]]:
        """Yield (owner, first token, one past the last token) for every occurrence, overlapping ones included."""
        for at, token in enumerate(tokens):
            candidates = list(self._by_form.get(token.form, ()))
            for length in self._prefix_lengths:
                if length > len(token.form):
                    break
                candidates += self._by_prefix.get(token.form[:length], ())
            for owner, words in candidates:
                if follows(tokens, at, words):
                    yield owner, at, at + len(words)


def _compile_word(word: str) -> WordPattern:
    form = fold(word.removesuffix("*"))
    if word.endswith("*"):
        return WordPattern(frozenset(), form)
    return WordPattern(number_forms(form))


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
