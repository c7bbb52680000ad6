"""A link of ours in each markup leads where it says, and its words stay words."""

from __future__ import annotations

import json

import pytest
from markdown_it import MarkdownIt

from connectors.base import Markup
from connectors.markup import render
from connectors.note import Note, Section, SectionKind, Span

ADDRESS = "https://desk.example.org/l/ImRlc2s6MSI.aSx_-g.X-_y/0"
HOSTILE = 'Net](https://evil.test) <b>*work*</b> "x":http://evil.test'
LINKS = (Span("Right? "), Span("Yes, " + HOSTILE, link=ADDRESS), Span(" · "), Span("Access", link=ADDRESS + "1"))
NOTE = Note((Section(SectionKind.COMMANDS, (LINKS,)),))


def test_markdown_has_two_links_and_nothing_else_of_the_words() -> None:
    shown = MarkdownIt("commonmark").render(render(NOTE, Markup.MARKDOWN))
    assert shown.count("<a ") == 2
    assert f'<a href="{ADDRESS}">Yes, Net](https://evil.test)' in shown
    assert "<em>" not in shown
    assert "<b>" not in shown


def test_html_escapes_words_and_address() -> None:
    shown = render(NOTE, Markup.HTML)
    assert shown.count("<a href=") == 2
    assert f'<a href="{ADDRESS}1">Access</a>' in shown
    assert "<b>" not in shown


def test_plain_text_has_the_address_behind_the_words() -> None:
    assert f"Access: {ADDRESS}1" in render(NOTE, Markup.PLAIN)


def test_textile_links_the_words() -> None:
    assert f'"Access":{ADDRESS}1' in render(NOTE, Markup.TEXTILE)
    assert '"x":http' not in render(NOTE, Markup.TEXTILE)


def test_adf_marks_the_words() -> None:
    (paragraph,) = json.loads(render(NOTE, Markup.ADF))["content"]
    assert paragraph["content"][-1] == {
        "type": "text", "text": "Access", "marks": [{"type": "link", "attrs": {"href": ADDRESS + "1"}}],
    }  # fmt: skip


@pytest.mark.parametrize("markup", list(Markup))
def test_without_a_link_nothing_is_one(markup: Markup) -> None:
    """The control."""
    bare = Note((Section(SectionKind.COMMANDS, ((Span("Right? Yes, Network"),),)),))
    assert "http" not in render(bare, markup)
    assert ADDRESS in render(NOTE, markup)
