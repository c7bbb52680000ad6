"""Comment text is made harmless without being changed for its reader."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.django_helpdesk.templates import WORD_JOINER, defuse, escape_template

fragments = st.lists(
    st.sampled_from(
        ["{", "}", "%", "#", '{{ "X" }}', "{{", "}}", "{%", "%}", "{#", "#}", "#12", "X-HELPDESK-COMMENT-VERBATIM"]
    )
    | st.characters(exclude_characters=WORD_JOINER, exclude_categories=["Cs"]),
    max_size=20,
).map("".join)


VARIABLE = re.compile(
    r"\{\{(.*?)\}\}"
)  # as Django's lexer finds it: the first braces open, and output is not read again


def rendered(template: str) -> str:
    """Do what the helpdesk does with the only variables that an escaped text may hold; KeyError for any other."""
    literals = {f' "{literal}" ': literal for literal in ("{", "}", "X")}
    return VARIABLE.sub(lambda variable: literals[variable[1]], template)


def test_a_reference_reads_the_same_and_is_none() -> None:
    assert defuse("see #12 and #٣") == f"see #{WORD_JOINER}12 and #{WORD_JOINER}٣"


def test_headings_and_anchors_are_left_alone() -> None:
    assert defuse("# Title\n/page#followup7 &#x27;") == "# Title\n/page#followup7 &#x27;"


def test_only_opening_braces_and_closing_tags_are_escaped() -> None:
    assert escape_template("a {b} 100% {{ c }}") == 'a {b} 100% {{ "{" }}{ c }}'


@given(fragments)
def test_what_was_defused_reads_the_same_and_is_defused_no_further(text: str) -> None:
    stored = defuse(text)
    assert stored.replace(WORD_JOINER, "") == text.replace("\0", "").strip()
    assert defuse(stored) == stored


@given(fragments)
def test_an_escaped_text_has_no_tags_and_renders_to_itself(text: str) -> None:
    escaped = escape_template(text)
    assert not any(tag in escaped for tag in ("{%", "%}", "{#", "X-HELPDESK-COMMENT-VERBATIM"))
    assert "{{" not in VARIABLE.sub("", escaped)
    assert rendered(escaped) == text


@pytest.mark.parametrize(
    "text",
    ['{{ "X" }}', '{{ "{" }}', "{X-HELPDESK-COMMENT-VERBATIM", "{{X-HELPDESK-COMMENT-ENDVERBATIM", "{X", "%}}", "{%}"],
)
def test_a_text_that_looks_like_an_escape_renders_to_itself(text: str) -> None:
    assert rendered(escape_template(text)) == text


def test_a_brace_before_a_variable_opens_another_one() -> None:
    """The control: what is rendered is what Django's lexer sees."""
    with pytest.raises(KeyError):
        rendered('{{{ "X" }}')


@given(st.text(st.characters(exclude_categories=())))
def test_a_defused_text_can_be_stored(text: str) -> None:
    stored = defuse(text)
    stored.encode("utf-8")
    assert "\0" not in stored
