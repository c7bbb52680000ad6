"""Cut texts into words, in any script, and keywords into what they match: whole words, case and plural ignored.

Scripts without blanks between words (Chinese, Japanese, Korean, where endings follow without one, Thai) are cut into
single signs, so that a keyword is found wherever its signs follow each other. Signs that combine with a letter (vowels
of Hindi, for example) belong to its word; underscores belong to none. Endings behind an apostrophe are words of their
own, unless they are English contractions: `l'huile` holds huile, `VPN'e` VPN, `won't` is one word.

A hit may be negated by the words around it: "without air conditioning", "with add-ons disabled". After NegEx (Chapman
et al., 2001, doi:10.1006/jbin.2001.1029), a negating phrase reaches a few words far and never beyond its clause.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, groupby

_UNSPACED = (
    "\u0e01-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17d3"  # Thai and Lao, Burmese, Korean letters, Khmer
    "\u3005-\u3007\u3021-\u3029\u3031-\u312f\u3131-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c"
    "\uac00-\ud7fb\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"  # kana, Chinese characters, Korean syllables
)
_JOINERS = "\u200c\u200d"
_APOSTROPHES = "'\u2019\u02bc"


def _ranges(points: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of each run of consecutive numbers."""
    for _, run in groupby(enumerate(points), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        yield numbers[0], numbers[-1]


def _combining() -> str:
    """Return the inside of a character class with all signs that combine with the letter before (Unicode's M)."""
    points = range(0x300, 0x1F000)  # one expression in C: in a loop of ours, every start would wait for it
    found = compress(points, map({"Mn", "Mc", "Me"}.__contains__, map(unicodedata.category, map(chr, points))))
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in _ranges(found)) + "\U000e0100-\U000e01ef"


MARKS = _combining()
_LETTER = rf"[^\W\d_{_UNSPACED}]"
_SIGN = rf"[^\W_\u02bc{_UNSPACED}]"
_SPELT = rf"{_SIGN}+(?:[{MARKS}{_JOINERS}]+{_SIGN}*)*"
_SHORTHAND = rf"{_LETTER}(?:[/.&]{_LETTER})+(?!\w)"  # L/H, A/C, a.m., P&H: single letters joined by a mark are one word
_CONTRACTION = rf"[{_APOSTROPHES}](?i:t|s|re|ve|ll|d|m)(?![\w{MARKS}])"
WORD = re.compile(rf"{_SHORTHAND}|{_SPELT}(?:{_CONTRACTION})*|[{_UNSPACED}][{MARKS}\uff9e\uff9f]*")

CLAUSE_END = re.compile(r"[.!?;:](?=\s|$)|[。！？；：।॥؟؛]|\n\s*\n")
CLAUSE_WORDS = frozenset({"but", "however"})  # the terms that end a negation's reach in NegEx

_UNWRITTEN = "/.&" + _APOSTROPHES + _JOINERS + "\u0307\u0640\u0670" + "".join(map(chr, range(0x64B, 0x653)))
_FOLDED = str.maketrans("ıأإآٱىیکة", "iااااييكه", _UNWRITTEN)
"""Dotless i, and the letters and signs that Arabic and Persian write or leave out at will.

The Arabic ones are those of Lucene's ArabicNormalizer and PersianNormalizer.
"""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text: `form` is what is compared, `start` and `end` are character offsets, `clause` counts up."""

    form: str
    start: int
    end: int
    clause: int


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
    """Return the form of a word that is compared: no case, no variants of letters, no marks that may be left out."""
    return unicodedata.normalize("NFKC", word).casefold().translate(_FOLDED)


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


@lru_cache(maxsize=1_024)  # the same negations stand in every rule, and checking a keyword compiles it, too
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


@lru_cache(maxsize=256)
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
            if follows(tokens, at, negation.words) and (
                tokens[at].clause == tokens[at + size - 1].clause == tokens[first].clause
            ):
                return True
    return False
