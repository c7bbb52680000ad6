"""Sentences as spans: our own words with values put into them, lists of names, percents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from agent.notes.tongue import spoken
from agent.triage.evidence import Neighbour
from connectors.markup import excerpt
from connectors.note import Paragraph, Span, Style

NEIGHBOUR = "{number} {subject} ({roles})"
HELPED = "{number} {subject} ({roles}; what helped: {fix})"
MOST_DECIMALS = 3

_MARKED = re.compile(r"\*\*(?P<strong>.+?)\*\*|`(?P<code>[^`]+)`|\{(?P<value>\w+)\}|(?P<plain>[^*`{]+|.)")


def worded(sentence: str, **values: str | Sequence[Span]) -> Paragraph:
    """Return the spans of one of our sentences, with `**strong**`, `` `code` `` and `{value}` interpreted.

    It is said in the language of comments. Values are inserted literally, even if they look like markup; a string takes
    the style of the words around it.
    """
    return tuple(_spans(spoken(sentence), Style.PLAIN, values))


def _spans(sentence: str, style: Style, values: Mapping[str, str | Sequence[Span]]) -> Iterator[Span]:
    for found in _MARKED.finditer(sentence):
        match found.lastgroup:
            case "strong":
                yield from _spans(found["strong"], Style.STRONG, values)
            case "code":
                yield Span(found["code"], Style.CODE)
            case "value":
                value = values[found["value"]]
                yield from [Span(value, style)] if isinstance(value, str) else value
            case _:
                yield Span(found[0], style)


def listed(words: Sequence[str], last: str) -> str:
    """Return the words as a list in a sentence, with `last` ("and", "or") before the last one."""
    return f" {spoken(last)} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def joined(parts: Sequence[Paragraph], between: str) -> Paragraph:
    """Return the parts as one paragraph, with the words `between` them."""
    return tuple(span for part in parts for span in (Span(between), *part))[1:]


def percent(share: float) -> str:
    """Return a confidence in percent. Nothing is certain: it ends at 99."""
    return spoken("under 1 %") if share < 0.01 else f"{min(round(share * 100), 99)} %"


def percents_apart(a: float, b: float) -> tuple[str, str]:
    """Return two confidences in percent, with the decimals that it takes to tell them apart."""
    if a != b and percent(a) == percent(b):
        for decimals in range(1, MOST_DECIMALS):
            if (shown := (f"{a * 100:.{decimals}f} %", f"{b * 100:.{decimals}f} %"))[0] != shown[1]:
                return shown
    return percent(a), percent(b)


def neighbour(near: Neighbour, subject: str, fix: str | None = None) -> Paragraph:
    """Return a similar ticket by its number, its first words and its roles, and what helped there where it is known."""
    number = near.ticket_key.partition(":")[2]
    if fix:
        roles = listed(near.roles, "and")
        return worded(HELPED, number=number, subject=[excerpt(subject)], roles=roles, fix=[excerpt(fix)])
    return worded(NEIGHBOUR, number=number, subject=[excerpt(subject)], roles=listed(near.roles, "and"))
