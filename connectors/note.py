"""What Rolecall says on a ticket, as data: sections of paragraphs of spans. `markup.py` renders it.

Text from tickets appears in it only as `markup.excerpt`: one short code span on one line.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """The style of a span. CODE is literal: nothing in it may act as markup, link, mention or template."""

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
    """All that one comment says, most important section first.

    `choices` are what a person can confirm: each a set of roles; several where the note asks which one it is.
    """

    sections: tuple[Section, ...]
    choices: tuple[tuple[str, ...], ...] = ()
