"""A note says the same in every markup, ends in its mark, and nothing that a stranger wrote works in it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from textile import Textile

from connectors.base import Markup
from connectors.markup import WORD_JOINER, add_below, excerpt, render, without_excerpt
from connectors.note import Note, Section, SectionKind, Span, Style
from connectors.reading_back import read_back

MARK = "rolecall-0123456789abcdef0123-0123456789abcdef"

HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</code></p><a href=//evil.example>", "<!-- -->",
    "[x](javascript:alert(1))", "![x](//evil.example/x.png)", "<https://evil.example>", "https://evil.example/x",
    "www.evil.example", "evil.example", "mail me@evil.example", "`x` ``y``", "\\`", "**b** _i_ ~~s~~", "a | b |",
    "@everyone", "@[~admin]", "#12 !34 $5 ~label %1 &2", "[[Wiki]] [~user]", "{{ ticket.title }}", "{% load x %}",
    "{# c #}", "${{ x }}", "<%= x %>", "#{x}", "{{include(secret)}}", '"x":https://evil.example', "!image.png!",
    "*strong* _em_ -del- +ins+ ^sup^ ~sub~ ??cite?? %span% @code@", "h1. Title", "bq. quoted", "|_. a | b |", "# list",
    "* list", "- list", "1. list", "> quote", "    code", "```", "===", "---", "==notextile==", "user:admin r12",
    "&lt;b&gt; &#60;", "\u202eevil\0\x1b[2J", "\ud800", "\n\n# heading\n", "", " ", "x" * 500, "[//]: # (x)",
)  # fmt: skip
words = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=()), max_size=40)
hostile = st.lists(words, min_size=1, max_size=3).map(" ".join)

MARKDOWN = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])


def note(*strangers: str, role: str = "Network") -> Note:
    """Return a note as Rolecall writes them, with a stranger's words in it."""
    said = [span for text in strangers for span in (Span(", "), excerpt(text))][1:]
    first = (Span("Role: ", Style.STRONG), Span(role, Style.STRONG), Span(" (sure)"))
    why = (Span("Why: it says "), *said, Span("; or "), *said, Span(" again."))
    commands = Section(SectionKind.COMMANDS, ((Span("Right? Answer "), Span("/role ok", Style.CODE), Span(".")),))
    return Note((Section(SectionKind.ROLE, (first, why)), commands))


def words_of(note: Note) -> str:
    """Return all that the note says, without blanks."""
    return bare(
        "".join(span.text for section in note.sections for paragraph in section.paragraphs for span in paragraph)
    )


def bare(text: str) -> str:
    return "".join(text.replace(WORD_JOINER, "").split())


class Html(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[object] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.tags.add("comment")


# The mark is in each rendering for those who look at its source, and reads as nothing else.


@pytest.mark.parametrize("markup", list(Markup))
def test_every_rendering_ends_in_its_mark(markup: Markup) -> None:
    text = render(note("vpn"), markup, MARK)
    assert text.count(MARK) == 1
    if markup is Markup.ADF:
        assert json.loads(text)["content"][-1]["content"] == [{"type": "text", "text": MARK}]
    else:
        assert re.search(rf"{MARK}\)?(</small></p>)?\Z", text)


def test_the_mark_is_invisible_in_markdown() -> None:
    assert "rolecall-" not in MARKDOWN.render(render(note("vpn"), Markup.MARKDOWN, MARK))


@given(hostile, hostile)
def test_markdown_shows_the_words_and_nothing_works(one: str, other: str) -> None:
    said = note(one, other)
    tokens = MARKDOWN.parse(render(said, Markup.MARKDOWN, MARK))
    inline = [child for token in tokens for child in token.children or ()]
    assert {token.type for token in tokens} == {"paragraph_open", "inline", "paragraph_close"}
    assert {child.type for child in inline} == {"text", "code_inline", "strong_open", "strong_close"}
    assert bare("".join(child.content for child in inline)) == words_of(said)
    assert sum(child.type == "code_inline" for child in inline) == 5


@given(hostile)
def test_markdown_shows_a_role_whatever_it_is_called(role: str) -> None:
    page = Html(MARKDOWN.render(render(Note((Section(SectionKind.ROLE, ((Span(role),),)),)), Markup.MARKDOWN)))
    assert page.tags <= {"p"}
    assert bare(page.text) == bare(readable(role))


@given(hostile, hostile)
def test_html_shows_the_words_and_nothing_works(one: str, role: str) -> None:
    said = note(one, role=f"x{role}")
    page = Html(render(said, Markup.HTML, MARK))
    assert page.tags <= {"p", "strong", "code", "small"}
    assert page.attributes == []
    assert bare(page.text) == bare(readable(words_of(said) + MARK))


@given(hostile, hostile)
def test_textile_shows_the_words_and_nothing_works(one: str, other: str) -> None:
    said = note(one, other)
    page = Html(Textile().parse(render(said, Markup.TEXTILE, MARK)))
    assert page.tags <= {"p", "strong", "br", "span"}
    assert set(page.attributes) <= {("class", "caps")}  # it sets CAPITALS smaller
    assert MARK in page.text


@given(hostile, hostile)
def test_in_textile_every_active_character_of_a_word_is_fenced(one: str, other: str) -> None:
    """The library above is one reader of Textile, Redmine has another: no rule of either sees a character alone."""
    text = render(note(one, other), Markup.TEXTILE, MARK)
    stranger = text[text.index("it says") : text.index("Right")]
    for found in re.finditer(r"[@*_+^~?!#\[\]{}<>|=&:()\\%$`-]", stranger):
        assert stranger[found.start() - 1] == stranger[found.end()] == WORD_JOINER


@given(hostile, hostile)
def test_adf_is_a_document_of_plain_text_with_the_words(one: str, role: str) -> None:
    said = note(one, role=f"x{role}")
    document = json.loads(render(said, Markup.ADF, MARK))
    assert (document["version"], document["type"]) == (1, "doc")
    text = ""
    for paragraph in document["content"]:
        assert paragraph["type"] == "paragraph"
        for node in paragraph["content"]:
            assert set(node) <= {"type", "text", "marks"}
            assert node["type"] == "text"
            assert node["text"]
            assert node.get("marks", []) in ([], [{"type": "strong"}], [{"type": "code"}])
            text += node["text"]
    assert bare(text) == bare(readable(words_of(said) + MARK))
    text.encode()


ACTIVE = re.compile(r"\w://|www\.\w|@\w|#\d|\{\{|\{%|\{#|\$\{|#\{|<%|\[\[|\[~|!\[|\]\(", re.IGNORECASE)


@given(markup=st.sampled_from(list(Markup)), one=hostile, other=hostile)
def test_no_mention_reference_template_or_address_of_a_stranger_is_left_whole(
    markup: Markup, one: str, other: str
) -> None:
    said = Note((Section(SectionKind.ROLE, ((excerpt(one), Span(" "), excerpt(other)),)),))
    text = render(said, markup)
    if markup is Markup.ADF:
        text = "".join(node["text"] for node in json.loads(text)["content"][0]["content"])
    assert not ACTIVE.search(text)
    if markup in (Markup.PLAIN, Markup.TEXTILE):
        assert not re.search(r"\w[.:]\w", text)
    text.encode()


@given(markup=st.sampled_from(list(Markup)), one=hostile, other=hostile)
def test_a_quoted_sentence_of_a_stranger_is_words_and_nothing_else(markup: Markup, one: str, other: str) -> None:
    paragraph = (
        Span("Fix:", Style.STRONG),
        Span(" "),
        Span(one, Style.QUOTED),
        Span(" [4] "),
        Span(other, Style.QUOTED),
    )
    text = render(Note((Section(SectionKind.SOLUTION, (paragraph,)),)), markup)
    if markup is Markup.ADF:
        nodes = json.loads(text)["content"][0]["content"]
        assert [node.get("marks") for node in nodes][1:] == [None] * (len(nodes) - 1)
        text = "".join(node["text"] for node in nodes)
    assert not ACTIVE.search(text)
    assert not re.search(r"\w[.:]\w", text)
    text.encode()
    if markup is Markup.MARKDOWN:
        tokens = MARKDOWN.parse(text)
        assert {token.type for token in tokens} == {"paragraph_open", "inline", "paragraph_close"}
        inline = {child.type for token in tokens for child in token.children or ()}
        assert inline == {"text", "strong_open", "strong_close"}
    if markup is Markup.HTML:
        page = Html(text)
        assert (page.tags, page.attributes) == ({"p", "strong"}, [])
    if markup is Markup.TEXTILE:
        assert Html(Textile().parse(text)).tags <= {"p", "strong", "br", "span"}


def test_a_quoted_sentence_reads_as_it_was_written() -> None:
    paragraph = (Span("I set the MTU to 1300.", Style.QUOTED),)
    text = render(Note((Section(SectionKind.SOLUTION, (paragraph,)),)), Markup.MARKDOWN)
    assert text == "“I set the MTU to 1300.”"


def test_what_staff_are_to_type_can_be_copied_from_every_rendering() -> None:
    for markup in Markup:
        assert "/role ok" in render(note("vpn"), markup)


@pytest.mark.parametrize("markup", list(Markup))
def test_a_line_below_a_persons_words_leaves_the_words(markup: Markup) -> None:
    words = "I *changed* this.\n\n<b>And</b> that."
    text = add_below(words, note("vpn").sections[0].paragraphs[0], markup, MARK)
    if markup is Markup.ADF:
        lines = ["".join(node["text"] for node in p["content"]) for p in json.loads(text)["content"]]
        assert lines == ["I *changed* this.", "<b>And</b> that.", "Role: Network (sure)", MARK]
    elif markup is Markup.HTML:
        page = Html(text)
        assert page.tags == {"p", "strong", "small"}
        assert bare(page.text) == bare(f"{words}Role: Network (sure){MARK}")
    else:
        assert text.startswith(f"{words}\n\n")
        assert text.index(words) < text.index("Role") < text.index(MARK)


def test_neighbours_of_one_style_are_one_run() -> None:
    paragraph = (Span("a", Style.STRONG), Span("b", Style.STRONG), Span("c", Style.CODE), Span("d", Style.CODE))
    assert render(Note((Section(SectionKind.ROLE, (paragraph,)),)), Markup.MARKDOWN) == "**ab**`c` `d`"


def readable(text: str) -> str:
    """Return the text without what no system stores: control characters and lone surrogates."""
    return re.sub("[\0-\x1f\x7f-\x9f\ud800-\udfff]", "", text)


@pytest.mark.parametrize("markup", list(Markup))
@pytest.mark.parametrize(
    "subject", ['Zebra & "Löwe" <b>@all</b> `x` #12 \\ {{a}}', "r12 https://Zebra.example *a_b*", "斑马 坏了"]
)
def test_an_excerpt_is_found_and_blanked_in_every_markup(markup: Markup, subject: str) -> None:
    written = render(note(subject), markup, MARK)
    blank = without_excerpt(written, subject)
    shown = blank.replace(WORD_JOINER, "")
    assert "…" in shown
    assert not [word for word in ("Zebra", "Löwe", "example", "斑马") if word in shown]
    assert "Network" in shown
    assert MARK in shown
    assert without_excerpt(blank, subject) == blank


def test_a_subject_without_words_blanks_nothing() -> None:
    assert without_excerpt("before … after", " ") == "before … after"


printable = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20)


@given(st.sampled_from(list(Markup)), hostile, printable | st.sampled_from(HOSTILE[:-7]))
def test_a_comment_is_read_back_as_the_words_that_it_was_made_of(markup: Markup, one: str, role: str) -> None:
    said = note(one, role=role)
    again = read_back(render(said, markup, MARK), markup)
    told = "".join(span.text for paragraph in again for span in paragraph)
    quotes = str.maketrans("", "", "“”")  # what tells code from words in Textile and plain text
    assert bare(told).translate(quotes) == words_of(said).translate(quotes)


@pytest.mark.parametrize("markup", list(Markup))
def test_a_comment_that_is_read_back_keeps_its_styles_and_loses_its_addresses(markup: Markup) -> None:
    link = Span("Yes, *Net*", link="https://desk.example.org/l/abc.def_-/0")
    paragraphs = (
        (Span("Role: Net_work", Style.STRONG), Span(" (94 %)")),
        (Span("like "), excerpt("a <b> *c*")),
        (link,),
    )
    again = read_back(render(Note((Section(SectionKind.ROLE, paragraphs),)), markup, MARK), markup)
    text = ["".join(span.text for span in paragraph) for paragraph in again]
    code = "“a <b> *c*”" if markup in (Markup.TEXTILE, Markup.PLAIN) else "a <b> *c*"
    assert text == ["Role: Net_work (94 %)", f"like {code}", "Yes, *Net*"]
    if markup is Markup.PLAIN:
        return
    assert "".join(span.text for span in again[0] if span.style is Style.STRONG) == "Role: Net_work"
    assert [span.style for span in again[1]][-1] is (Style.PLAIN if markup is Markup.TEXTILE else Style.CODE)
