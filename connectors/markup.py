"""Render a note in the markup of a ticketing system, with the mark by which Rolecall recognises its own comment.

Whatever a span holds is shown literally in every markup. In code spans, which may hold a stranger's words, what
systems look for beyond their markup is broken up, too: mentions, references, links and templates. An invisible word
joiner does that, and the words stay readable.

Where the mark stands, it has to survive: HTML systems remove comments and attributes that they do not know, so the mark
is the last paragraph there, as in plain text, Textile and ADF. Markdown hides it in a link reference that nothing uses.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from connectors.base import Markup
from connectors.note import Note, Paragraph, Span, Style

WORD_JOINER = "\u2060"
QUOTES = "“{}”"
"""What stands around a stranger's words where nothing else tells them from ours."""
EXCERPT_LENGTH = 60
SENTENCE_LENGTH = 600
ELLIPSIS = "…"

# @name, #12, !12, ~label, $12, &3, [[page]]; {{ {% {# ${ <% #{ and their ends; https://, www. and r12.
_ACTIVE = re.compile(r"(?<=[@#!~$&%{\[<}\]])(?=\S)|(?=://)|(?<=\bwww)(?=\.)|(?<=\br)(?=\d)", re.IGNORECASE)
# Where nothing protects a code span, hosts without https:// become links, too, and Redmine's user:name or commit:1f.
_NAMES = re.compile(r"(?<=\w)(?=[.:]\w)")

_MARKDOWN = re.compile(r"[\\`*_\[\]<>~|]|&(?=#?\w+;)")
_MARKDOWN_BLOCK = re.compile(r"^(?:(?=[#+=-])|(?<=\d)(?=[.)]))|^(\d+)(?=[.)])")
_TEXTILE = re.compile(r"[^\w\s/.,;'\"“”„«»…\u2060]|_")
_TEXTILE_BLOCK = re.compile(r"^(?=\w+\.)")


def render(note: Note, markup: Markup, mark: str = "", quotes: str = QUOTES) -> str:
    """Return the note in the system's markup, ending in the mark; for ADF, a document in JSON."""
    return _written([paragraph for section in note.sections for paragraph in section.paragraphs], markup, mark, quotes)


def add_below(words: str, paragraph: Paragraph, markup: Markup, mark: str) -> str:
    """Return a comment that a person changed, with one paragraph of ours below and the mark at the end.

    Their words stay as the system gives them. Those of HTML and ADF systems arrive without markup: their lines become
    paragraphs.
    """
    if markup in (Markup.HTML, Markup.ADF):
        theirs = [(Span(line),) for line in words.splitlines() if line.strip()]
        return _written((*theirs, paragraph), markup, mark)
    return f"{words.rstrip()}\n\n{_written((paragraph,), markup, mark)}"


def excerpt(text: str) -> Span:
    """Return the beginning of untrusted text as a code span on one line."""
    printable = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 4 * EXCERPT_LENGTH])
    words = " ".join(printable.replace("`", "'").split())
    if len(words) > EXCERPT_LENGTH:
        words = words[: EXCERPT_LENGTH - 1].rstrip() + ELLIPSIS
    return Span(words or ELLIPSIS, Style.CODE)


def without_excerpt(rendered: str, text: str) -> str:
    """Return a rendered note in which the excerpt of this text is blank, in any markup and as systems return it."""
    words = excerpt(text).text
    if words == ELLIPSIS:
        return rendered
    characters = (f"(?:{re.escape(c)}|{re.escape(html.escape(c))})" for c in words)
    return re.sub(rf"[{WORD_JOINER}\\]*".join(characters), ELLIPSIS, rendered)


def inert(text: str) -> str:
    """Return the text with mentions, references, templates and addresses disabled; it looks the same."""
    return _ACTIVE.sub(WORD_JOINER, text)


def _written(paragraphs: Sequence[Paragraph], markup: Markup, mark: str, quotes: str = QUOTES) -> str:
    if markup is Markup.ADF:
        return _adf(paragraphs, mark, quotes)
    syntax = _SYNTAX[markup]
    lines = [syntax.paragraph("".join(syntax.span(span, quotes) for span in _runs(each))) for each in paragraphs]
    return syntax.between.join([*lines, syntax.mark.format(mark)] if mark else lines)


def _runs(paragraph: Paragraph) -> list[Span]:
    """Return the spans with neighbours of one style joined: markup that ends and begins at one place is ambiguous."""
    runs = []
    for (style, link), spans in groupby(paragraph, key=lambda span: (span.style, span.link)):
        if style is Style.CODE:
            runs += [Span(" "), *(part for span in spans for part in (excerpt(span.text), Span(" ")))][1:-1]
        elif style is Style.QUOTED:
            runs += [Span(_harmless(span.text), Style.QUOTED) for span in spans]
        else:
            runs.append(Span(_one_line("".join(span.text for span in spans)), style, link))
    return [run for run in runs if run.text]


def _one_line(text: str) -> str:
    blank = ("Cc", "Cs", "Zl", "Zp", "Zs")
    printable = "".join(" " if unicodedata.category(c) in blank and c != "\xa0" else c for c in text)
    return re.sub(" +", " ", printable)


@dataclass(frozen=True, slots=True)
class _Syntax:
    """A markup that is text: what makes words literal, and what surrounds them; without `code`, quotation marks do."""

    literal: Callable[[str], str]
    code: Callable[[str], str] | None
    strong: str
    mark: str
    link: str
    paragraph: Callable[[str], str] = str.strip
    between: str = "\n\n"

    def span(self, span: Span, quotes: str) -> str:
        """Return a span as markup."""
        if span.link:
            return self.link.format(self.literal(span.text), html.escape(span.link))
        match span.style:
            case Style.CODE:
                words = inert(span.text)
                return self.code(words) if self.code else self.literal(quotes.format(_NAMES.sub(WORD_JOINER, words)))
            case Style.QUOTED:
                return self.literal(quotes.format(span.text))
            case Style.STRONG:
                return _around(span.text, self.strong, self.literal)
            case _:
                return self.literal(span.text)


def _around(text: str, markup: str, literal: Callable[[str], str]) -> str:
    """Return strong words, their outer blanks outside: inside, most systems would show the stars."""
    words = text.strip()
    before, _, after = text.partition(words) if words else (text, "", "")
    return f"{before}{markup.format(literal(words)) if words else ''}{after}"


def _harmless(text: str) -> str:
    """Return a stranger's sentence on one line, at most `SENTENCE_LENGTH` characters, with nothing in it that acts."""
    printable = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 4 * SENTENCE_LENGTH])
    words = " ".join(printable.split())
    if len(words) > SENTENCE_LENGTH:
        words = words[: SENTENCE_LENGTH - 1].rstrip() + ELLIPSIS
    return _NAMES.sub(WORD_JOINER, inert(words))


def _literal_in_textile(text: str) -> str:
    return _TEXTILE.sub(lambda found: f"{WORD_JOINER}{found[0]}{WORD_JOINER}", text)


_SYNTAX = {
    Markup.MARKDOWN: _Syntax(
        literal=lambda text: _MARKDOWN.sub(r"\\\g<0>", text),
        code=lambda text: f"`{text}`",
        strong="**{}**",
        mark="[//]: # ({})",
        link="[{}]({})",
        paragraph=lambda text: _MARKDOWN_BLOCK.sub(r"\1\\", text.strip()),
    ),
    Markup.HTML: _Syntax(
        literal=html.escape,
        code=lambda text: f"<code>{html.escape(text)}</code>",
        strong="<strong>{}</strong>",
        mark="<p><small>{}</small></p>",
        link='<a href="{1}">{0}</a>',
        paragraph=lambda text: f"<p>{text.strip()}</p>",
        between="\n",
    ),
    Markup.PLAIN: _Syntax(literal=str, code=None, strong="{}", mark="{}", link="{}: {}"),
    Markup.TEXTILE: _Syntax(
        literal=_literal_in_textile,
        code=None,
        strong="*{}*",
        mark="{}",
        link='"{}":{}',
        paragraph=lambda text: _TEXTILE_BLOCK.sub(WORD_JOINER, text.strip()),
    ),
}


def _adf(paragraphs: Sequence[Paragraph], mark: str, quotes: str) -> str:
    content = [[_adf_text(span, quotes) for span in _runs(paragraph)] for paragraph in paragraphs]
    content += [[{"type": "text", "text": mark}]] if mark else []
    document = {"version": 1, "type": "doc", "content": [{"type": "paragraph", "content": c} for c in content]}
    return json.dumps(document, ensure_ascii=False)


def _adf_text(span: Span, quotes: str) -> dict[str, Any]:
    text = {Style.QUOTED: quotes.format(span.text), Style.CODE: inert(span.text)}.get(span.style, span.text)
    mark = {"type": "link", "attrs": {"href": span.link}} if span.link else {"type": str(span.style)}
    plain = not span.link and span.style in (Style.PLAIN, Style.QUOTED)
    return {"type": "text", "text": text} | ({} if plain else {"marks": [mark]})


MARK_LENGTH = len("rolecall-") + 20
_MARK = r"rolecall-[0-9a-f]{20}(?:-[0-9a-f]{16})?"
_SIGNED = re.compile(rf"{_MARK}\)?\s*(?:</\w+>\s*)*\Z")
_SIGNATURE = re.compile(rf"\s*(?:\[//\]: # \({_MARK}\)|{_MARK})")


def by_rolecall(text: str) -> bool:
    """Return whether a Rolecall wrote this, ours or another installation's: any Rolecall's mark at its end counts.

    Staff who write one silence themselves alone; only our own mark makes a comment ours.
    """
    return _SIGNED.search(text) is not None


def mark_there(text: str) -> str | None:
    """Return the mark at the end of what a Rolecall wrote, without the version; None where there is none."""
    found = _SIGNED.search(text)
    return found[0][:MARK_LENGTH] if found else None


def unsigned(text: str) -> str:
    """Return the text without any Rolecall's mark."""
    return _SIGNATURE.sub("", text).strip()


def version_there(text: str, mark: str) -> str | None:
    """Return the version that the last mark of ours in the text names; None where it holds no mark of ours."""
    found = re.findall(rf"{re.escape(mark)}(?:-([0-9a-f]{{16}}))?", text)
    return found[-1] if found else None


def version_of(text: str) -> str:
    """Return the version of a rendered note: a hash of its text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def changed_by_person(text: str, mark: str, shown: str | None, version: str | None) -> bool:
    """Return whether a person changed our comment: its text is not the one that the system returned for its version.

    `shown` is the text returned for our last `version`, None where it was never read. A mark of another version proves
    nothing: it may come from a request of ours whose response was lost.
    """
    return shown is not None and version_there(text, mark) in (version, None) and _words(text) != _words(shown)


def _words(text: str) -> str:
    """Return the text without what systems add or drop themselves: white space and invisible joiners."""
    return "".join(text.replace("\u2060", "").split())
