"""What the database holds in English sentences of ours, said in the language of the pages.

    recorded(texts, "POST /comments: answered 403: the account lacks the right")

Why a training ended as it did, and why an event failed, is recorded once, in English, for logs, programs and pages. The
English sentences below `recorded` in the files of sentences find it again, with its values. What none of them knows is
somebody else's, and stays as it is.
"""

from __future__ import annotations

import re
import string
from functools import cache

from markupsafe import Markup, escape

from agent.notes.phrasing import bound
from agent.pages.texts import Texts, load

LONGEST = 500
"""Characters that are read and shown."""

SENTENCES = frozenset({"first", "then", "why"})
"""Values that are such sentences themselves, or somebody else's words."""

WORDS = SENTENCES | {"request", "changes", "trainer", "when", "setting", "name", "system"}
"""Values that are no numbers."""

_NUMBER = r"-?\d[\d.]*%?"


def recorded(texts: Texts, said: str) -> Markup:
    """Return what was recorded as the pages say it; itself where it is none of our sentences."""
    said = said[:LONGEST]
    for key, pattern in _patterns():
        if found := pattern.fullmatch(said):
            values = found.groupdict()
            return texts(key, **{name: _value(texts, name, value) for name, value in values.items()})
    return escape(said)


def _value(texts: Texts, name: str, value: str) -> Markup:
    if name in SENTENCES:
        return recorded(texts, value)
    if name in WORDS:
        return Markup("<bdi>{}</bdi>").format(value) if name == "name" else escape(value)
    number = value.removesuffix("%")
    figure = texts.figure(float(number), f",.{len(number.partition('.')[2])}f")
    return figure + bound(" %", texts.language) if value.endswith("%") else figure


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return what finds each sentence, those with the most words of ours first."""
    shipped = {key: text for key, text in load("en").sentences.items() if key.partition(".")[0] == "recorded"}
    parts = {key: list(string.Formatter().parse(text)) for key, text in shipped.items()}
    ours = sorted(parts, key=lambda key: -sum(len(literal) for literal, *_ in parts[key]))
    return tuple(
        (key, re.compile("".join(_pattern(literal, name) for literal, name, *_ in parts[key]))) for key in ours
    )


def _pattern(literal: str, name: str | None) -> str:
    value = "" if name is None else f"(?P<{name}>{'.+?' if name in WORDS else _NUMBER})"
    return re.escape(literal) + value
