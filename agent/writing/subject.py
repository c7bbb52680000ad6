"""A better subject for a ticket whose own says too little: the words of its text that say what is wrong."""

from __future__ import annotations

import re
from functools import cache

from agent.text.mail_phrases import FORWARDING
from agent.text.pointing import says_nothing
from agent.text.reading import plain_text
from agent.writing.cues import Cue, languages
from agent.writing.cutting import ELLIPSIS
from agent.writing.marking import Marked, mark
from agent.writing.thread import Thread

LONGEST = 80
"""Characters of a subject."""
LEAST_WORDS = 2
"""A subject with so many words that say something is left alone."""
PLACE_COSTS = 0.35
"""What each sentence before one takes from its score: people say early what they want."""

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_PREFIX = re.compile(rf"^\s*(?:(?:re|aw|antw|sv|ref|{'|'.join(FORWARDING)})\s?(?:\[\d+\])?\s?[:：]\s*)+", re.I)
_OPENING = re.compile(
    r"^(?:(?:and|but|so|well|also|und|aber|et|mais|y|pero|ok|okay|folks|team|all|unfortunately|leider)\b[\s,]*)+",
    re.I,
)
_CLAUSE = re.compile(r"(?<=[,;:])\s+|\s[-–—]\s")


@cache
def _generic() -> frozenset[str]:
    return frozenset().union(*(language.generic for language in languages()))


def says_too_little(subject: str) -> bool:
    """Return whether a subject leaves open what the ticket is about: generic words, or a single one."""
    words = [word.casefold() for word in _WORD.findall(_PREFIX.sub("", plain_text(subject)))]
    telling = [word for word in words if len(word) > 1 and word not in _generic() and not word.isdigit()]
    return len(telling) < LEAST_WORDS and not any(_names(word) for word in telling)


def _names(word: str) -> bool:
    """Return whether a word names one thing, as error codes and inventory numbers do."""
    return any(sign.isdigit() for sign in word) and any(sign.isalpha() for sign in word)


def better_subject(thread: Thread) -> str | None:
    """Return a subject made of the text's own words; None where the subject is good, or the text says no more."""
    if not says_too_little(thread.subject):
        return None
    opening = next(iter(mark(Thread(thread.subject, thread.messages[:1]))), None)
    scored = [(_score(s), s) for s in (opening.marked if opening else ()) if not s.has(Cue.INJECTED)]
    if not scored:
        return None
    sentence = max(scored, key=lambda pair: pair[0])[1].sentence.text
    told = _shortened(_OPENING.sub("", sentence))
    old = _PREFIX.sub("", plain_text(thread.subject)).strip(" !?.:")
    if old and not _known(old, told) and len(old) + len(told) + 2 <= LONGEST and len(old.split()) == 1:
        told = f"{old}: {told}"
    told = told[:1].upper() + told[1:]
    return None if says_too_little(told) or says_nothing(told) or told.casefold() == thread.subject.casefold() else told


def _score(marked: Marked) -> float:
    weights = {Cue.PROBLEM: 1.0, Cue.CHATTER: -1.0, Cue.REQUEST: -0.4, Cue.CONFIRM: -0.4}
    score = sum(weights.get(kind, 0.0) * (0.75 + 0.25 * min(count, 3)) for kind, count in marked.cues.items())
    return score - PLACE_COSTS * marked.sentence.place - (len(marked.sentence.text.split()) < 4)


def _known(old: str, told: str) -> bool:
    """Return whether a text names what the old subject does, or says nothing of its own."""
    words = {word.casefold() for word in _WORD.findall(old)} - _generic()
    return words <= {word.casefold() for word in _WORD.findall(told)}


def _shortened(text: str) -> str:
    """Return a text with at most `LONGEST` characters, cut where a clause ends, else between words."""
    text = " ".join(text.split()).rstrip(" .!;,:")
    if len(text) <= LONGEST:
        return text
    clauses = [found.start() for found in _CLAUSE.finditer(text) if LONGEST // 2 <= found.start() <= LONGEST]
    if clauses:
        return text[: clauses[-1]].rstrip(" ,;:-–—")
    return text[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + ELLIPSIS
