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


def filed(parts: Parts, texts: dict[int, str]) -> tuple[str, ...]:
    """File a text so many minutes after noon each, and return what the last one is like."""
    found: tuple[str, ...] = ()
    for minute, text in sorted(texts.items()):
        at = NOON + timedelta(minutes=minute)
        parts.database.call(tickets.file, Ticket(key=f"desk:{minute}", subject=text, body="", filed_at=at))
        current = parts.classifier.memory.current
        assert current is not None
        found = burst(parts.database, current, f"desk:{minute}")
    return found


def test_tickets_filed_alike_within_an_hour_are_named_oldest_first(trained: Parts) -> None:
    times = dict(zip((0, 20, 30, 40, 59), ALIKE, strict=True)) | dict(zip((5, 15, 25, 35), OTHERS, strict=True))
    assert filed(trained, times) == ("desk:0", "desk:20", "desk:30", "desk:40")


@pytest.mark.parametrize(
    "times",
    [
        dict(zip((0, 20, 30, 40, 61), ALIKE, strict=True)),
        dict(zip((0, 20, 30, 40), ALIKE[1:], strict=True)),
        dict(zip((0, 20, 30, 40, 59), (*OTHERS, "Door lock broken"), strict=True)),
        dict.fromkeys((0, 20, 30, 40, 59), " "),
    ],
    ids=["longer", "fewer", "others", "nothing"],
)
def test_fewer_in_a_longer_time_or_of_other_words_are_none(trained: Parts, times: dict[int, str]) -> None:
    assert filed(trained, times) == ()


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
    burst(trained.database, current, "desk:59")
    assert embedded == list(ALIKE)
