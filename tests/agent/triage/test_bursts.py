"""One trouble that many people report within an hour is noticed; a usual day is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.core import Parts
from agent.store import tickets
from agent.store.tables import Ticket
from agent.triage.bursts import LEAST, burst

pytestmark = pytest.mark.xdist_group("trained")

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ALIKE = (
    "VPN down: I cannot connect to the VPN since 9",
    "vpn not working, the connection times out",
    "VPN timeout error, tried to restart, still no connection",
    "No VPN connection, it hangs at connecting",
    "The VPN connection fails with a timeout",
)
OTHERS = ("The coffee machine leaks", "New badge for a colleague", "Printer out of toner", "Lamp flickers in hall 2")


NONE = {
    "longer": dict(zip((0, 20, 30, 40, 61), ALIKE, strict=True)),
    "fewer": dict(zip((0, 20, 30, 40), ALIKE[1:], strict=True)),
    "others": dict(zip((0, 20, 30, 40, 59), (*OTHERS, "Door lock broken"), strict=True)),
    "nothing": dict.fromkeys((0, 20, 30, 40, 59), " "),
}


def filed(parts: Parts, texts: dict[int, str], day: int = 0) -> tuple[str, ...]:
    """File a text so many minutes after a day's noon each, and return what the last one is like."""
    found: tuple[str, ...] = ()
    for minute, text in sorted(texts.items()):
        key, at = f"desk:{day}{minute:02}", NOON + timedelta(days=day, minutes=minute)
        parts.database.call(tickets.file, Ticket(key=key, subject=text, body="", filed_at=at))
        current = parts.classifier.memory.current
        assert current is not None
        found = burst(parts.database, current, key)
    return found


def test_tickets_filed_alike_within_an_hour_are_named_oldest_first_and_fewer_or_others_are_not(trained: Parts) -> None:
    times = dict(zip((0, 20, 30, 40, 59), ALIKE, strict=True)) | dict(zip((5, 15, 25, 35), OTHERS, strict=True))
    assert filed(trained, times, 1) == ("desk:100", "desk:120", "desk:130", "desk:140")
    assert {case: filed(trained, times, day) for day, (case, times) in enumerate(NONE.items(), 2)} == dict.fromkeys(
        NONE, ()
    )


def test_the_least_is_what_the_tests_above_file() -> None:
    assert len(ALIKE) - 1 == LEAST


def test_a_vector_is_made_once(trained: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    current = trained.classifier.memory.current
    assert current is not None
    embedded: list[str] = []

    def embed(texts: list[str]) -> np.ndarray:
        embedded.extend(texts)
        return np.ones((len(texts), 384), dtype=np.float32) / 384**0.5

    monkeypatch.setattr(type(current.encoder), "embed", lambda self, texts: embed(texts))
    found = filed(trained, dict(zip((0, 20, 30, 40, 59), ALIKE, strict=True)))
    assert len(found) == LEAST
    burst(trained.database, current, "desk:059")
    assert embedded == list(ALIKE)
