"""Every command on an installation with any damage: each change tries one of each kind, this all others."""

from __future__ import annotations

from collections.abc import Callable, Container

import pytest

from tests.agent.cli.test_damaged_installations import (
    DAMAGES,
    EVERY_CHANGE,
    commands,
    installation,
    no_trace,
    port,
    slipped,
)

__all__ = ["installation", "no_trace", "port", "slipped"]


@pytest.mark.parametrize("damage", [damage for damage in DAMAGES if damage not in EVERY_CHANGE])
def test_no_command_ends_in_a_trace(damage: str, no_trace: Callable[[str], None]) -> None:
    no_trace(damage)


def test_a_slip_in_the_name_of_the_data_directory_makes_nothing(slipped: Callable[[Container[str]], int]) -> None:
    assert slipped({words for words, _ in commands()}) > 50
