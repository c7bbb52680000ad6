"""Tickets that say the same in nearly the same words belong together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.learning.training_set import group_duplicates, normalise


def test_case_punctuation_and_numbers_do_not_tell_tickets_apart() -> None:
    assert normalise("  Printer 12: out of TONER!! ") == "printer 0 out of toner"
    assert group_duplicates(["Printer 12: out of TONER!!", "printer 7 out of toner", "VPN drops"]).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (
            "the printer on the third floor next to the kitchen is out of toner again please help",
            "the printer on the third floor next to the kitchen is out of toner again please",
            True,
        ),
        ("the printer is out of toner", "the printer is out of paper and jams", False),
        ("lamp broken", "door broken", False),
    ],
)
def test_near_duplicates_are_found_and_lookalikes_are_not(first: str, second: str, same: bool) -> None:
    groups = group_duplicates([first, second])
    assert bool(groups[0] == groups[1]) is same


def test_similarity_is_passed_on_through_a_ticket_in_between() -> None:
    words = [f"word{letter}" for letter in "abcdefghijk"]
    chain = [" ".join(words[:9]), " ".join(words[:10]), " ".join(words)]
    assert len(set(group_duplicates(chain).tolist())) == 1


def test_groups_are_numbered_by_first_appearance() -> None:
    assert group_duplicates(["b", "a", "b", "c", "a"]).tolist() == [0, 1, 0, 2, 1]


def test_empty_texts_are_one_group_and_no_text_is_none() -> None:
    assert group_duplicates(["", " ", "?!"]).tolist() == [0, 0, 0]
    assert group_duplicates([]).tolist() == []


@given(st.lists(st.text(max_size=30), max_size=12))
def test_any_text_gets_exactly_one_group_and_copies_share_it(texts: list[str]) -> None:
    groups = group_duplicates(texts + texts).tolist()
    assert groups[: len(texts)] == groups[len(texts) :]
