"""Text and question become the same words, in any script; whatever a question holds, it is words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store.search import (
    LONGEST_QUESTION,
    LONGEST_WORD,
    MOST_PHRASES,
    MOST_WORDS,
    Phrase,
    indexed,
    places,
    sought,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Résumé RE\u0301SUME\u0301", "resume resume"),
        ("Straße, STRASSE; strasse!", "strasse strasse strasse"),
        ("İstanbul ΌΣΟΣ Ёлка", "istanbul οσοσ елка"),
        ("网络故障 A3", "网 络 故 障 a3"),
        ("ﾌﾟﾘﾝﾀ プリンタ", "プ リ ン タ プ リ ン タ"),
        ("หน้าจอ", "ห น า จ อ"),
        ("프린터가 안돼요", "프린터가 안돼요"),
        ("foo_bar a@b.example 0x80070005", "foo bar a b example 0x80070005"),
        ("🖨️ ... \0 \u202e", ""),
        ("ﬁnal ½", "final 1 2"),
    ],
)
def test_words_are_without_case_accents_and_signs(text: str, words: str) -> None:
    assert indexed(text) == words


def test_a_question_is_words_that_may_go_on_and_phrases_that_may_not() -> None:
    assert sought('Prin "Paper JAM" 网络 a-b a') == (
        Phrase(("prin",), begun=True),
        Phrase(("paper", "jam")),
        Phrase(("网", "络")),
        Phrase(("a", "b")),
        Phrase(("a",)),
    )


@pytest.mark.parametrize(
    ("text", "question", "marked"),
    [
        ("Der Résumé-Drucker druckt", "resume druck", ["Résumé-Drucker", "druckt"]),
        ("这是网络故障", "网络", ["网络"]),
        ("paper, no jam; paper jam", '"paper jam"', ["paper jam"]),
        ("a b a b", '"a b" "b a"', ["a b a b"]),
        ("nothing of it", "zebra", []),
    ],
)
def test_what_was_found_is_marked(text: str, question: str, marked: list[str]) -> None:
    found = places(text, sought(question))
    joined: list[str] = []
    for begin, end in found:
        joined.append(text[begin:end])
    assert "|".join(joined).replace("|", " ").split() == " ".join(marked).replace("-", " ").split()


def test_a_text_and_a_question_have_bounds() -> None:
    assert len(indexed("a " * 50_000).split()) == MOST_WORDS
    assert len(indexed("x" * 1_000_000)) == LONGEST_WORD
    assert len(sought("a b c d e f g h i j k")) == MOST_PHRASES
    assert sought("x" * 10_000) == sought("x" * LONGEST_QUESTION)


@settings(max_examples=30)
@given(st.text(max_size=60), st.text(max_size=60))
def test_words_hold_letters_and_digits_alone_and_marks_lie_inside(text: str, question: str) -> None:
    phrases = sought(question)
    for word in (*indexed(text).split(" "), *(word for one in phrases for word in one.words)):
        assert word.isalnum() or not word or "\u3099" in word or "\u309a" in word
    before = 0
    for begin, end in places(text, phrases):
        assert before <= begin < end <= len(text)
        before = end
