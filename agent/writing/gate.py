"""Refuse what a language model wrote unless the messages that it cites hold it: the gate before a note.

A sentence passes where each number, name and address in it stands in the cited message, nearly all its other words do,
and it denies nothing that the message does not deny. Who may have solved the ticket, and what failed, is not the
model's to say: a fix that cites another message is refused. One refused sentence refuses the whole note.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from agent.writing.cues import languages
from agent.writing.thread import Sentence

LEAST_COVERED = 0.8
"""Share of a sentence's words that the cited message has to hold."""
STEM = 5
"""Letters by which two forms of a word are known as one."""

_WORD = re.compile(r"[^\W_]+(?:['’.:/-][^\W_]+)*")
_FORBIDDEN = re.compile(r"https?:|www\.|[<>{}`|\\]|@|\]\(|(?:^|\s)[/#!]\w", re.I)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")
"""Signs that nobody sees, some of which turn the order of those that one sees."""
_DENIES = re.compile(
    r"(?<!\w)(?:not|no|never|none|without|cannot|nothing|nicht|kein\w*|nie|ohne|nichts|ne|pas|aucun\w*|sans|jamais|sin|ningun\w*|"
    r"nunca|nada)(?!\w)|n['’]t(?!\w)",
    re.I,
)


def refused(sentence: Sentence, sources: Mapping[int, str]) -> str | None:
    """Return why the message that a sentence cites does not hold it, None where it does.

    `sources` are the texts of the messages that may be cited, by number.
    """
    source = sources.get(sentence.number)
    if source is None:
        return "cites a message that may not be cited"
    if _FORBIDDEN.search(sentence.text):
        return "has an address, a mention or markup"
    if _UNSEEN.search(sentence.text):
        return "has signs that nobody sees"
    spoken = _WORD.findall(source.casefold())
    there = set(spoken)
    words = _WORD.findall(sentence.text)
    if not words:
        return "says nothing"
    exact = [w for place, w in enumerate(words) if _exact(w, first=place == 0)]
    if missing := [word for word in exact if word.casefold() not in there]:
        return f"has {missing[0]!r}, which the message has not"
    if (moved := _moved(_WORD.findall(sentence.text.casefold()), spoken)) is not None:
        return f"has {moved!r} in another place than the message"
    stems = {word[:STEM] for word in there}
    first = words[0].casefold()
    if first[:STEM] not in stems and not any(first in language.words for language in languages()):
        return f"begins with {words[0]!r}, which may be a name"
    if _DENIES.search(sentence.text) and not _DENIES.search(source):
        return "denies what the message does not"
    if _DENIES.search(source) and not _DENIES.search(sentence.text) and not _verbatim(sentence.text, source):
        return "may leave out what the message denies"
    long = [word.casefold()[:STEM] for word in words if len(word) > 2]
    covered = sum(stem in stems for stem in long) / len(long) if long else 1.0
    return None if covered >= LEAST_COVERED else f"only {covered:.0%} of its words stand in the message"


def _exact(word: str, *, first: bool) -> bool:
    """Return whether a word has to stand in the message as it is: it has a digit, or is a name."""
    return _numbered(word) or (word[0].isupper() and not first) or word[1:] != word[1:].lower()


def _moved(words: Sequence[str], spoken: Sequence[str]) -> str | None:
    """Return a number that stands behind another word than in the message, where that has several to mix up.

    "From 4.6 A to 4.1 A" has every word of "from 4.1 A to 4.6 A". The first word is known by the one behind it.
    """
    numbers = {word for word in spoken if _numbered(word)}
    if len(numbers) < 2:
        return None
    there, said = {*pairwise(spoken)}, list(pairwise(words))
    behind = [(number, (before, number)) for before, number in said if _numbered(number)]
    first = [(number, (number, after)) for number, after in said[:1] if _numbered(number)]
    return next((number for number, pair in (*first, *behind) if pair not in there), None)


def _numbered(word: str) -> bool:
    return any(sign.isdigit() for sign in word)


def _verbatim(text: str, source: str) -> bool:
    return " ".join(text.casefold().split()).rstrip(".!") in " ".join(source.casefold().split())
