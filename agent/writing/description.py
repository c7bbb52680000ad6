"""What a new ticket says and leaves open, and a better subject where its own says too little.

Every value, and a better subject, is cut from the ticket's own text, none is worded: the description that is offered
beside a text that says too little holds nothing that its requester did not write. What is told is since when, where,
which message and which item; what people are asked for the rest is a question that staff may send.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from agent.text.mail_phrases import FORWARDING
from agent.text.pointing import says_nothing
from agent.text.reading import plain_text
from agent.writing.cues import Cue, language_of, languages
from agent.writing.cutting import ELLIPSIS
from agent.writing.marking import Marked, MarkedTurn, mark
from agent.writing.thread import Thread, as_filed
from connectors.events import Ticket

LONGEST_SUBJECT = 80
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
    if old and not _known(old, told) and len(old) + len(told) + 2 <= LONGEST_SUBJECT and len(old.split()) == 1:
        told = f"{old}: {told}"
    told = told[:1].upper() + told[1:]
    return None if says_too_little(told) or says_nothing(told) or told.casefold() == thread.subject.casefold() else told


def _score(marked: Marked) -> float:
    weights = {Cue.PROBLEM: 1.0, Cue.CHATTER: -1.0, Cue.REQUEST: -0.4, Cue.CONFIRM: -0.4, Cue.FAILED: -0.4}
    score = sum(weights.get(kind, 0.0) * (0.75 + 0.25 * min(count, 3)) for kind, count in marked.cues.items())
    return score - PLACE_COSTS * marked.sentence.place - (len(marked.sentence.text.split()) < 4)


def _known(old: str, told: str) -> bool:
    """Return whether a text names what the old subject does, or says nothing of its own."""
    words = {word.casefold() for word in _WORD.findall(old)} - _generic()
    return words <= {word.casefold() for word in _WORD.findall(told)}


def _shortened(text: str) -> str:
    """Return a text with at most `LONGEST_SUBJECT` characters, cut where a clause ends, else between words."""
    text = " ".join(text.split()).rstrip(" .!;,:")
    if len(text) <= LONGEST_SUBJECT:
        return text
    clauses = [
        found.start() for found in _CLAUSE.finditer(text) if LONGEST_SUBJECT // 2 <= found.start() <= LONGEST_SUBJECT
    ]
    if clauses:
        return text[: clauses[-1]].rstrip(" ,;:-–—")
    return text[: LONGEST_SUBJECT - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + ELLIPSIS


LONGEST = 120
"""Characters of a value."""
MOST_SENTENCES = 60
"""Sentences of a text that are read."""
QUOTED_WORDS = 3
"""A quotation of fewer words is the name of something."""
NEAR = 30
"""Characters between the word for a message and the message itself."""
SHORT = 40
"""Words; a longer text with a subject that says something is left without questions."""


class Aspect(StrEnum):
    """What whoever handles a ticket wants to know of it."""

    WHAT = "what"
    SINCE = "since"
    WHERE = "where"
    ERROR = "error"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Description:
    """What was found, each value as it stands in the text, and what is missing.

    `question` asks for that in the language of the text, None where nothing is missing or no language was told.
    """

    found: tuple[tuple[Aspect, str], ...]
    missing: tuple[Aspect, ...]
    question: str | None


_QUOTED = re.compile(r"[\"“„«»‚‘]\s?([^\"“”„«»‘’\n]{1,200}?)\s?[\"”“»«’]")
_CODE = re.compile(
    r"\b0x[0-9A-Fa-f]{3,}\b|\b(?:HTTP|SMTP|ORA|KB|ERR|E|F|SQLSTATE)[-_ ]?\d{2,6}\b|"
    r"\b[A-Z][A-Z0-9]{1,}(?:_[A-Z0-9]+)+\b|\b[A-Za-z]+(?:Error|Exception)\b(?::[^\n]{0,80})?"
)
_NUMBERED = re.compile(r"(?<![\w/.-])(?=[A-Z0-9-]*\d)[A-Z]{2,8}[-_]?(?:[A-Z0-9]{1,6}-)?\d{2,8}(?![\w/])")


def describe(thread: Thread) -> Description:
    """Return what a ticket's text says and leaves open; time is linear in its length."""
    opening = next(iter(mark(Thread(thread.subject, thread.messages[:1]))), None)
    if opening is None:
        return Description((), (), None)
    language = opening.language or getattr(language_of(thread.subject), "code", None)
    told = [thread.subject, *(marked.sentence.text for marked in _readable(opening))]
    found = dict(_found(told, language))
    what = _what(opening)
    little = says_too_little(thread.subject) or opening.turn.words < SHORT
    missing = tuple(_missing(told, found, language)) if what is not None and little else ()
    values = {Aspect.WHAT: what, **found}
    return Description(
        tuple((aspect, value) for aspect in Aspect if (value := values.get(aspect))),
        missing,
        _question(missing, language),
    )


def in_short(ticket: Ticket, above: int) -> tuple[str, ...]:
    """Return the values that a text of more than `above` words holds; none where `above` is 0."""
    if not above or len(ticket.body.split()) <= above:
        return ()
    return tuple(value for _, value in describe(as_filed(ticket)).found)


def _readable(turn: MarkedTurn) -> Iterator[Marked]:
    """Yield the sentences that describe something: none of a text that gives orders to whoever writes."""
    return (marked for marked in turn.marked[:MOST_SENTENCES] if not marked.has(Cue.INJECTED))


def _what(turn: MarkedTurn) -> str | None:
    """Return the sentence that says what is wrong, or wanted."""
    able = [m for m in _readable(turn) if m.has(Cue.PROBLEM) and not says_nothing(m.sentence.text)]
    best = max(able, key=lambda m: m.cues[Cue.PROBLEM] - 0.3 * m.sentence.place, default=None)
    return _cut(best.sentence.text) if best else None


def _found(told: list[str], language: str | None) -> Iterator[tuple[Aspect, str]]:
    for aspect in (Aspect.SINCE, Aspect.WHERE):
        for search in [_search(language, aspect)] if language else []:
            if value := next((found[0] for text in told if (found := search.search(text))), None):
                yield aspect, _cut(value)
    if error := next(_errors(told, language), None):
        yield Aspect.ERROR, _cut(error)
    if item := next(_items(told, language, error), None):
        yield Aspect.ITEM, _cut(item)


def _errors(told: list[str], language: str | None) -> Iterator[str]:
    """Yield what may be an error's text: quoted right after a word for a message, or by its code."""
    if language:
        speaks = _search(language, Aspect.ERROR)
        quotations = (quoted for text in told for quoted in _QUOTED.finditer(text))
        for quoted in quotations:
            before = quoted.string[max(quoted.start() - NEAR, 0) : quoted.start()]
            if len(quoted[1].split()) >= QUOTED_WORDS and speaks.search(before):
                yield quoted[1]
    for text in told:
        yield from (code[0] for code in _CODE.finditer(text))


def _items(told: list[str], language: str | None, error: str | None) -> Iterator[str]:
    if language:
        search = _search(language, Aspect.ITEM)
        yield from (found[0] for text in told for found in search.finditer(text))
    numbered = (found[0] for text in told for found in _NUMBERED.finditer(text))
    yield from (number for number in numbered if not error or number not in error)


def _missing(told: list[str], found: Mapping[Aspect, str], language: str | None) -> Iterator[Aspect]:
    """Yield what a report of a fault leaves open. A wish has no beginning and no place."""
    if language is None or not any(_search(language, Aspect.WHAT).search(text) for text in told):
        return
    if Aspect.SINCE not in found:
        yield Aspect.SINCE
    if Aspect.WHERE not in found and Aspect.ITEM not in found:
        yield Aspect.WHERE
    if Aspect.ERROR not in found and any(_search(language, Aspect.ERROR).search(text) for text in told):
        yield Aspect.ERROR


def _question(missing: tuple[Aspect, ...], language: str | None) -> str | None:
    if not missing or language is None:
        return None
    table = _tables()[language]["questions"]
    return " ".join([table["begin"], *(table[aspect] for aspect in missing)])


@cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads((resources.files("agent.writing") / "description.toml").read_text("utf-8"))


@cache
def _search(language: str, aspect: Aspect) -> re.Pattern[str]:
    patterns = _tables()[language]["search"][aspect]
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)", re.I)


def _cut(text: str) -> str:
    text = " ".join(text.split()).strip(" ,;:")
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit(" ", 1)[0] + ELLIPSIS
