"""What `rolecall train` says while it works, and of what it lacks."""

from __future__ import annotations

import pytest

from agent.cli.train import MOST_NAMED, in_words, more_of


@pytest.mark.parametrize(
    ("phase", "told"),
    [
        ("cross-fit 3", "answering unseen tickets, part 3 of 5"),
        ("tune", "tuning the encoder"),
        ("a phase to come", "a phase to come"),
    ],
)
def test_a_phase_is_told_in_words(phase: str, told: str) -> None:
    assert in_words(phase, 5) == told


def test_of_many_roles_that_lack_tickets_the_neediest_are_named_and_the_others_counted() -> None:
    needed = {f"Role {n}": 20 - n for n in range(MOST_NAMED + 2)}
    told = more_of(needed)
    assert told.startswith("Role 0: 20 more, Role 1: 19 more, ")
    assert told.endswith(f"Role {MOST_NAMED - 1}: {21 - MOST_NAMED} more and 2 more roles")
    assert more_of({"Network": 3}) == "Network: 3 more"
