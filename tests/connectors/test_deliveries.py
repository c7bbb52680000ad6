"""Shared secrets: one of the active ones passes, everything else is InvalidSignature."""

from __future__ import annotations

import pytest

from connectors.deliveries import verify_shared_secret
from connectors.errors import InvalidSignature


def test_a_shared_secret_passes_whichever_of_the_active_ones_it_is() -> None:
    verify_shared_secret("new", ["old", "new"])
    verify_shared_secret("old", ["old", "new"])


@pytest.mark.parametrize("given", ["", "ol", "older", "OLD", "old ", "\ud800", "ö" * 10_000])
def test_any_other_shared_secret_is_refused(given: str) -> None:
    with pytest.raises(InvalidSignature):
        verify_shared_secret(given, ["old", "new"])


def test_without_an_active_secret_nothing_passes() -> None:
    with pytest.raises(InvalidSignature):
        verify_shared_secret("", [])
