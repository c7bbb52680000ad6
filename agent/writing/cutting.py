"""Cut a long sentence to the words around its cues: what is left still stands in the message, letter by letter."""

from __future__ import annotations

import re
from dataclasses import replace

from agent.writing.cues import Cue, languages
from agent.writing.marking import Marked
from agent.writing.thread import Sentence

ELLIPSIS = "…"
LEAST = 5
"""Words that are worth showing of a sentence that had to be cut."""
FRAGMENT = 7
"""Words that the end of a sentence needs to be understood without its beginning."""

_CLAUSE = re.compile(
    r"(?<=[,;:])\s+|\s+(?=[-–—(]\s?)|\s+(?=(?:and|so|but|because|und|weil|aber|et|mais|car|y|pero|porque)\s)"
)


def cut(marked: Marked, kinds: tuple[Cue, ...], language: str | None, most: int) -> Sentence | None:
    """Return a sentence with at most so many words, of its clauses those with cues; None where too few would be left.

    What was cut off at the end shows as an ellipsis.
    """
    sentence = marked.sentence
    words = sentence.text.split()
    if len(words) <= most:
        return sentence
    if most < LEAST:
        return None
    starts = [0, *(found.end() for found in _CLAUSE.finditer(sentence.text))]
    rests = [sentence.text[start:] for start in starts]
    rest = max(
        (text for text in rests if len(text.split()) >= FRAGMENT or text is rests[0]),
        key=lambda text: _worth(text, kinds, language, most),
    )
    if len(rest.split()) <= most:
        return replace(sentence, text=rest)
    return replace(sentence, text=_beginning(rest, most))


def _worth(text: str, kinds: tuple[Cue, ...], language: str | None, most: int) -> float:
    """Return what a beginning of `most` words says: cues first, then words."""
    words = text.split()
    speaks = next((each for each in languages() if each.code == language), None)
    found = speaks.cues(" ".join(words[:most])) if speaks else {}
    return sum(min(found.get(kind, 0), 2) for kind in kinds) + min(len(words), most) / most


def _beginning(text: str, most: int) -> str:
    """Return the first words of a text, up to the last clause that ends within them, and an ellipsis."""
    end = [found.end() for found in re.finditer(r"\S+", text)][most - 1]
    clauses = [found.start() for found in _CLAUSE.finditer(text) if found.start() <= end]
    if clauses and len(text[: clauses[-1]].split()) >= max(LEAST, most // 2):
        end = clauses[-1]
    return text[:end].rstrip(" ,;:–—-(") + ELLIPSIS
