"""Marks tell our comments from others', our versions from each other, and our words from what people made of them."""

from __future__ import annotations

import pytest

from agent.notes.speak import find_ours, mark_of
from connectors.base import Markup
from connectors.events import Message, Ticket
from connectors.markup import by_rolecall, changed_by_person, render, unsigned, version_of, version_there
from tests.desk import note

MARK = mark_of(b"key", "desk:1")
VERSION = version_of("words")
OTHER = version_of("other words")


def signed(words: str, markup: Markup = Markup.MARKDOWN, version: str = VERSION) -> str:
    return render(note(words), markup, f"{MARK}-{version}")


@pytest.mark.parametrize("markup", [markup for markup in Markup if markup is not Markup.ADF])
def test_what_ends_in_any_rolecalls_mark_is_a_rolecalls(markup: Markup) -> None:
    foreign = mark_of(b"another installation", "desk:1")
    for mark in (f"{MARK}-{VERSION}", f"{foreign}-{VERSION}", foreign):
        text = render(note("/role Network"), markup, mark)
        assert by_rolecall(text)
        assert by_rolecall(f"{text}\n ")
        assert not by_rolecall(f"{text}\nand mine")
    assert not by_rolecall(f"I copied ({MARK})\n/role Network")
    assert not by_rolecall("rolecall-x")


def test_a_mark_of_an_earlier_release_names_no_version() -> None:
    old = f"words\n\n[//]: # ({MARK})"
    assert by_rolecall(old)
    assert version_there(old, MARK) == ""
    assert version_there(signed("words"), MARK) == VERSION
    assert version_there("words", MARK) is None
    assert version_there(signed("words"), mark_of(b"key", "desk:2")) is None


@pytest.mark.parametrize("markup", [Markup.MARKDOWN, Markup.PLAIN])
def test_words_are_left_of_a_text_without_its_mark(markup: Markup) -> None:
    assert unsigned(signed("words", markup)) == "words"
    assert unsigned(f"{signed('words', markup)}\n\nmore") == "words\n\nmore"


def test_ours_is_the_newest_of_our_own_account_by_mark_or_by_id() -> None:
    def ticket(*messages: tuple[str | None, str, str]) -> Ticket:
        return Ticket("1", "", "", messages=tuple(Message(i, author, text) for i, author, text in messages))

    def found(it: Ticket, remote_id: str | None = None) -> str | None:
        ours = find_ours(it, "bot", MARK, remote_id)
        return ours.id if ours else None

    assert found(ticket(("1", "tech", MARK), ("2", "bot", "hello"))) is None
    assert found(ticket(("1", "bot", MARK), ("2", "bot", MARK), ("3", "tech", MARK))) == "2"
    assert found(ticket(("1", "bot", "its mark is gone")), "1") == "1"
    assert found(ticket(("1", "tech", "not ours")), "1") is None
    assert find_ours(ticket(("1", "bot", "hello"), ("2", "bot", MARK), ("3", "tech", MARK)), "", MARK, None).id == "2"
    assert found(ticket((None, "bot", MARK))) is None


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (signed("words"), False),
        (signed("words") + "\n", False),
        (signed("wo\u2060rds"), False),
        (signed("words of mine"), True),
        ("words of mine", True),
        (signed("other words", version=OTHER), False),
    ],
    ids=["same", "blank", "joiner", "edited", "edited without the mark", "a version of ours that was never seen"],
)
def test_a_person_changed_it_where_it_is_not_what_its_mark_says(text: str, changed: bool) -> None:
    assert changed_by_person(text, MARK, signed("words"), VERSION) is changed
    assert not changed_by_person(text, MARK, None, None)
