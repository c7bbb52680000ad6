"""The 70/15/15 split: time-ordered, stratified, duplicates together, and always the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import Example
from agent.learning.training_set import Split, split

START = datetime(2025, 1, 1, tzinfo=UTC)


def tickets(roles: str) -> list[Example]:
    """One ticket a day; each letter is the role of one."""
    return [Example(f"desk:{i:03}", f"t{i}", "", (role,), START + timedelta(days=i)) for i, role in enumerate(roles)]


def alone(examples: list[Example]) -> np.ndarray:
    return np.arange(len(examples))


def test_150_tickets_are_split_105_22_23_or_as_near_as_rounding_allows() -> None:
    examples = tickets("ABCDE" * 30)
    parts = split(examples, alone(examples))
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (106, 22, 22)


def test_within_each_role_test_is_newer_than_validation_and_that_newer_than_training() -> None:
    examples = tickets("AABAB" * 30)
    parts = split(examples, alone(examples))
    for role in "AB":
        train, validation, test = (
            [i for i in part if examples[i].roles == (role,)] for part in (parts.train, parts.validation, parts.test)
        )
        assert max(train) < min(validation)
        assert max(validation) < min(test)


def test_every_role_is_in_training_even_with_a_single_ticket() -> None:
    examples = tickets("A" * 20 + "B")
    assert 20 in split(examples, alone(examples)).train


def test_near_duplicates_never_span_two_parts() -> None:
    examples = tickets("AB" * 30)
    groups = np.arange(60) // 2 % 12
    parts = split(examples, groups)
    seen = [group for part in (parts.train, parts.validation, parts.test) for group in set(groups[part].tolist())]
    assert len(seen) == len(set(seen)) == 12


def test_an_outage_of_alike_tickets_does_not_swallow_the_test_part() -> None:
    examples = tickets("A" * 40)
    groups = np.where(np.arange(40) >= 20, 20, np.arange(40))
    parts = split(examples, groups)
    assert len(parts.test) == 6
    assert set(range(20, 40)) <= set(parts.train)


def test_other_sizes_can_be_asked_for() -> None:
    examples = tickets("A" * 100)
    parts = split(examples, alone(examples), validation=0.0, test=0.3)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (70, 0, 30)


def test_the_manifest_names_every_ticket_once() -> None:
    examples = tickets("AB" * 10)
    manifest = split(examples, alone(examples)).manifest(examples)
    assert sorted(key for keys in manifest.values() for key in keys) == [example.ticket_key for example in examples]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_tickets_come_does_not_matter(seed: int) -> None:
    examples = tickets("ABCAB" * 12)
    order = np.random.default_rng(seed).permutation(len(examples))
    shuffled = [examples[i] for i in order]
    first, second = split(examples, alone(examples)), split(shuffled, alone(shuffled))
    assert {k: set(v) for k, v in first.manifest(examples).items()} == {
        k: set(v) for k, v in second.manifest(shuffled).items()
    }


@given(st.text("ABC", max_size=40), st.integers(1, 10))
def test_any_tickets_are_dealt_completely_and_once(roles: str, spread: int) -> None:
    examples = tickets(roles)
    parts: Split = split(examples, np.arange(len(examples)) % spread)
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(together.tolist()) == list(range(len(examples)))
