"""What Rolecall says on a ticket, as data: sections of paragraphs of spans. How it looks is for `markup.py` to say.

Words that strangers wrote appear in it as `excerpt` alone: one short code span on one line.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

EXCERPT_LENGTH = 60
ELLIPSIS = "…"

_MARKED = re.compile(r"\*\*(?P<strong>.+?)\*\*|`(?P<code>[^`]+)`|\{(?P<value>\w+)\}|(?P<plain>[^*`{]+|.)")


class Style(StrEnum):
    """How a span is set. What is CODE is literal: nothing in it may work as markup, link, mention or template."""

    PLAIN = "plain"
    STRONG = "strong"
    CODE = "code"


class SectionKind(StrEnum):
    """What a section of a note is about."""

    ROLE = "role"
    ANSWER = "answer"
    """The answer to somebody's command."""
    COMMANDS = "commands"
    """How to answer."""
    REPLACES = "replaces"
    """That an earlier note no longer counts."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style."""

    text: str
    style: Style = Style.PLAIN


Paragraph = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Paragraphs that belong together."""

    kind: SectionKind
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """All that one comment says, most important section first."""

    sections: tuple[Section, ...]

    @property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        """The paragraphs of all sections."""
        return tuple(paragraph for section in self.sections for paragraph in section.paragraphs)

    @property
    def headline(self) -> Paragraph:
        """The note in one line: the answer to a command where it holds one, else its first paragraph."""
        answers = [section for section in self.sections if section.kind is SectionKind.ANSWER]
        return (*answers, *self.sections)[0].paragraphs[0]


def excerpt(text: str) -> Span:
    """Return the beginning of untrusted text as a code span on one line."""
    printable = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 4 * EXCERPT_LENGTH])
    words = " ".join(printable.replace("`", "'").split())
    if len(words) > EXCERPT_LENGTH:
        words = words[: EXCERPT_LENGTH - 1].rstrip() + ELLIPSIS
    return Span(words or ELLIPSIS, Style.CODE)


def worded(sentence: str, **values: str | Sequence[Span]) -> Paragraph:
    """Return a sentence of ours, in which `**strong**`, `` `code` `` and `{value}` have their meaning, as spans.

    Values are put in as they are, whatever they look like; a string takes the style of the words around it.
    """
    return tuple(_spans(sentence, Style.PLAIN, values))


def _spans(sentence: str, style: Style, values: dict[str, str | Sequence[Span]]) -> Iterator[Span]:
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
