"""Comment text is made harmless without being changed for its reader."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.django_helpdesk.templates import WORD_JOINER, defuse, escape_template

fragments = st.lists(
    st.sampled_from(["{", "}", "%", "#", "{{", "}}", "{%", "%}", "{#", "#}", "#12", "X-HELPDESK-COMMENT-VERBATIM"])
    | st.characters(exclude_characters=WORD_JOINER, exclude_categories=["Cs"]),
    max_size=20,
).map("".join)


def rendered(template: str) -> str:
    """Do what the helpdesk does with the only variables that an escaped text holds."""
    for literal in ("{", "}", "X"):
        template = template.replace(f'{{{{ "{literal}" }}}}', literal)
    return template


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
    bare = escaped
    for literal in ("{", "}", "X"):
        bare = bare.replace(f'{{{{ "{literal}" }}}}', "")
    assert not any(tag in escaped for tag in ("{%", "%}", "{#", "X-HELPDESK-COMMENT-VERBATIM"))
    assert "{{" not in bare
    assert rendered(escaped) == text


@given(st.text(st.characters(exclude_categories=())))
def test_a_defused_text_can_be_stored(text: str) -> None:
    stored = defuse(text)
    stored.encode("utf-8")
    assert "\0" not in stored
