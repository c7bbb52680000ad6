"""Cut text into words, in any script: what keywords are compared with.

Scripts without blanks between words (Chinese, Japanese, Korean, where endings follow without one, Thai) are cut into
single signs, so that a keyword is found wherever its signs follow each other. Signs that combine with a letter (vowels
of Hindi, for example) belong to its word; underscores belong to none. Endings behind an apostrophe are words of their
own, unless they are English contractions: `l'huile` holds huile, `VPN'e` VPN, `won't` is one word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

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
    found = (n for n in range(0x300, 0x1F000) if unicodedata.category(chr(n)).startswith("M"))
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
