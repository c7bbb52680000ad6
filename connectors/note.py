"""What Rolecall says on a ticket, as data: sections of paragraphs of spans. `markup.py` renders it.

Text from tickets appears in it only as `markup.excerpt`, one short code span on one line, and, where whole sentences of
it are the matter, in style QUOTED.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """The style of a span. In CODE and QUOTED nothing may act as markup, link, mention or template."""

    PLAIN = "plain"
    STRONG = "strong"
    CODE = "code"
    QUOTED = "quoted"
    """A stranger's sentence, in quotation marks."""


class SectionKind(StrEnum):
    """What a section of a note is about."""

    ROLE = "role"
    ANSWER = "answer"
    """The answer to somebody's command."""
    SOLUTION = "solution"
    """What was wrong with the ticket, and what helped."""
    COMMANDS = "commands"
    """How to answer."""
    REPLACES = "replaces"
    """That an earlier note no longer counts."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style; `link` is an address of ours that it leads to."""

    text: str
    style: Style = Style.PLAIN
    link: str = ""


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
