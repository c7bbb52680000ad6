"""A document of titles, sentences, tables and charts, and how it is written as text and as Markdown.

Sentences are HTML, as the templates take it; text and Markdown say the same without the charts.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from agent.report.week import Week

_TAG = re.compile(r"<(/?)(\w+)[^>]*>")
_BLANKS = re.compile(r"[^\S\xa0\u202f]+")
"""Those at which a line may break."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_DRAWING = re.compile(r"<svg.*?</svg>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tile:
    """A number and what has to be said beside it."""

    name: Markup
    value: Markup
    beside: Markup


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a header; the first cell of a row says what the row is about."""

    head: tuple[Markup, ...]
    rows: tuple[tuple[Markup, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A title with sentences, a table or a list below it. A table that has a chart is folded away on the page."""

    title: Markup
    sentences: tuple[Markup, ...] = ()
    points: tuple[Markup, ...] = ()
    table: Table | None = None
    chart: Markup | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The whole."""

    week: Week
    title: Markup
    span: str
    lede: Markup
    tiles: tuple[Tile, ...]
    parts: tuple[Part, ...]
    colon: str = ": "
    """What stands between a name and its value."""


@dataclass(frozen=True, slots=True)
class Night:
    """What came of a training."""

    at: datetime
    outcome: str
    reason: str


def as_text(document: Document) -> str:
    """Return the document as plain text."""
    return "\n".join(_written(document, _plain, _text_title, _text_table))


def as_markdown(document: Document) -> str:
    """Return the document as Markdown."""
    return "\n".join(_written(document, _marked, _markdown_title, _markdown_table))


Words = Callable[[str], str]


def _written(
    document: Document,
    words: Words,
    title: Callable[[str, int], list[str]],
    table: Callable[[list[list[str]]], list[str]],
) -> Iterator[str]:
    yield from title(words(document.title), 1)
    yield from (document.span, "", words(document.lede), "")
    yield from (f"- {words(t.name)}{document.colon}{words(t.value)} ({words(t.beside)})" for t in document.tiles)
    for part in document.parts:
        yield from ("", *title(words(part.title), 2))
        yield from map(words, part.sentences)
        yield from (f"- {words(point)}" for point in part.points)
        if part.table:
            yield from ("", *table([list(map(words, row)) for row in (part.table.head, *part.table.rows)]))
    yield ""


def _plain(markup: str) -> str:
    """Return what a reader sees of some HTML, on one line."""
    bare = _TAG.sub(lambda tag: " " if tag[2] in ("span", "small") else "", _DRAWING.sub("", markup))
    return _BLANKS.sub(" ", html.unescape(bare)).strip(" ")


def _marked(markup: str) -> str:
    """Return some HTML as Markdown: bold and code stay, whatever else a name may hold means nothing."""
    parts, at, bare = [], 0, _DRAWING.sub("", markup)
    for tag in _TAG.finditer(bare):
        parts.append(_SPECIAL.sub(r"\\\1", html.unescape(bare[at : tag.start()])))
        parts.append({"b": "**", "code": "`", "span": " ", "small": " "}.get(tag[2], ""))
        at = tag.end()
    parts.append(_SPECIAL.sub(r"\\\1", html.unescape(bare[at:])))
    return re.sub(r"\*\*( *)(.+?)( *)\*\*", r"\1**\2**\3", _BLANKS.sub(" ", "".join(parts)).strip(" "))


def _text_title(title: str, level: int) -> list[str]:
    return [title, ("=" if level == 1 else "-") * len(title)]


def _markdown_title(title: str, level: int) -> list[str]:
    return ["#" * level + " " + title, ""]


def _text_table(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _markdown_table(rows: list[list[str]]) -> list[str]:
    head, *others = ["| " + " | ".join(row) + " |" for row in rows]
    return [head, "|" + "---|" * len(rows[0]), *others]
