"""Read a comment of ours back: the paragraphs of spans that `markup.render` made it of, for people who look elsewhere.

Only the few marks that we write ourselves mean anything; whatever else stands there are words. Of Textile and plain
text, code spans come back as the quoted words that they became there.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from connectors.base import Markup
from connectors.markup import WORD_JOINER, unsigned
from connectors.note import Paragraph, Span, Style

_MARKDOWN = re.compile(
    r"\\(?P<literal>[^\w\s]|_)|`(?P<code>[^`]+)`|(?P<strong>\*\*)"
    r"|\[(?P<link>(?:\\.|[^\]\\])+)\]\(https?://[^\s()]*\)|(?P<words>[^\\`*\[]+|.)",
    re.DOTALL,
)
_TEXTILE = re.compile(
    rf"{WORD_JOINER}(?P<literal>[^\w\s{WORD_JOINER}]|_){WORD_JOINER}|(?P<strong>\*)"
    rf'|"(?P<link>[^"\n]+)":https?://\S+|(?P<words>[^"*{WORD_JOINER}]+|.)',
    re.DOTALL,
)
_HTML = re.compile(
    r"</?(?P<strong>strong)>|<code>(?P<code>[^<]*)</code>|<a [^<>]*>(?P<link>[^<]*)</a>|</?(?:p|small|br ?/?)>"
    r"|(?P<words>[^<]+|.)",
    re.DOTALL,
)
_PLAIN = re.compile(r": https?://\S+/l/\S+|(?P<words>[^:]+|.)", re.DOTALL)
_MARKED = {Markup.PLAIN: _PLAIN, Markup.MARKDOWN: _MARKDOWN, Markup.TEXTILE: _TEXTILE, Markup.HTML: _HTML}


def read_back(text: str, markup: Markup) -> list[Paragraph]:
    """Return the paragraphs of a comment of ours, without its mark and without where its links lead."""
    if markup is Markup.ADF:
        return [paragraph for paragraph in _of_document(text) if paragraph]
    words = unsigned(text)
    parts = re.split(r"</p>\s*" if markup is Markup.HTML else r"\n\n+", words)
    return [paragraph for part in parts if (paragraph := tuple(_spans(part.strip(), markup)))]


def _spans(text: str, markup: Markup) -> Iterator[Span]:
    strong = False
    for found in _MARKED[markup].finditer(text):
        kind, words = found.lastgroup, found[found.lastgroup or 0]
        if kind == "strong":
            strong = not strong
        elif kind is not None:
            shown = html.unescape(words) if markup is Markup.HTML else words
            if kind == "link" and markup is not Markup.HTML:
                shown = "".join(span.text for span in _spans(words, markup))
            style = Style.CODE if kind == "code" else Style.STRONG if strong else Style.PLAIN
            if shown := shown.replace(WORD_JOINER, ""):
                yield Span(shown, style)


def _of_document(text: str) -> list[Paragraph]:
    """Return the paragraphs of a document in ADF; a text that is none is a paragraph of words."""
    try:
        return [tuple(_adf_spans(each.get("content", []))) for each in json.loads(text)["content"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        return [(Span(unsigned(text)),)]


def _adf_spans(nodes: list[Any]) -> Iterator[Span]:
    for node in nodes:
        kinds = {mark.get("type") for mark in node.get("marks", [])}
        style = next((style for style in (Style.CODE, Style.STRONG) if style in kinds), Style.PLAIN)
        if words := unsigned(f"{node['text']} ").strip() and node["text"].replace(WORD_JOINER, ""):
            yield Span(words, style)
