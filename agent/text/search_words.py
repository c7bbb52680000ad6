"""The words by which tickets are found: without case or accents, and in scripts without blanks, each character.

    indexed("Résumé: 网络故障")     # "resume 网 络 故 障"
    sought('resu "网络"')           # (Phrase(("resu",), begun=True), Phrase(("网", "络")))

Text and question pass through the same function, so both databases need to know nothing of languages; whatever syntax
a question may seem to have is no letter or digit, and so is gone. Of a ticket's text the beginning counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

MOST_WORDS, MOST_CHARACTERS, LONGEST_WORD = 10_000, 200_000, 64
"""Of one ticket. PostgreSQL knows the places of the first 16,383 words."""

LONGEST_QUESTION, MOST_PHRASES = 200, 8
SHORTEST_BEGINNING = 3
"""A last word of so many characters also finds longer ones."""

_ALONE = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Japanese and Chinese put no blanks between words."""

_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff"
)
"""Accents, vowel points and vowel signs stand inside of words, and are no letters to `re`."""

_PIECE = re.compile(rf"[{_ALONE}]|(?:[^\W_{_ALONE}]|[{_MARKS}])+")
_UNIT = re.compile(r'"([^"]*)"|([^\s"]+)')
_VOICED = "\u3099\u309a"
"""Marks that make another letter in Japanese."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that have to stand one after another; `begun`: the last one may go on."""

    words: tuple[str, ...]
    begun: bool = False


def indexed(*texts: str) -> str:
    """Return the words of texts, with a blank between any two."""
    words = (word for text in texts for word, _, _ in _pieces(_composed(text[:MOST_CHARACTERS])))
    return " ".join(islice(words, MOST_WORDS))


def sought(question: str) -> tuple[Phrase, ...]:
    """Return what a ticket has to have: every word, and what stands in quotation marks as it stands there."""
    found = []
    for quoted, plain in _UNIT.findall(_composed(question[:LONGEST_QUESTION])):
        words = tuple(word for word, _, _ in _pieces(quoted or plain))
        begun = not quoted and bool(words) and len(words[-1]) >= SHORTEST_BEGINNING
        if words:
            found.append(Phrase(words, begun))
    return tuple(dict.fromkeys(found))[:MOST_PHRASES]


def places(text: str, phrases: Sequence[Phrase]) -> list[tuple[int, int]]:
    """Return where the phrases stand in a text, as pairs of beginning and end, in order and apart."""
    pieces = list(islice(_pieces(text), MOST_WORDS))
    found: list[tuple[int, int]] = []
    for at in range(len(pieces)):
        ends = [pieces[at + len(one.words) - 1][2] for one in phrases if _stands(pieces, at, one)]
        if not ends:
            continue
        begin, end = pieces[at][1], max(ends)
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((begin, end))
    return found


def _stands(pieces: Sequence[tuple[str, int, int]], at: int, phrase: Phrase) -> bool:
    here = [word for word, _, _ in pieces[at : at + len(phrase.words)]]
    if len(here) < len(phrase.words) or here[:-1] != list(phrase.words[:-1]):
        return False
    return here[-1].startswith(phrase.words[-1]) if phrase.begun else here[-1] == phrase.words[-1]


def _pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each word with its beginning and end in the text."""
    for piece in _PIECE.finditer(text):
        if word := _folded(piece[0]):
            yield word, piece.start(), piece.end()


def _folded(piece: str) -> str:
    if piece.isascii():
        return piece[:LONGEST_WORD].lower()
    apart = unicodedata.normalize("NFKD", piece[:LONGEST_WORD].casefold())
    kept = "".join(one for one in apart if unicodedata.category(one)[0] in "LN" or one in _VOICED)
    return unicodedata.normalize("NFKC", kept)


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)
