"""Models draws what known roles have brought: a chart of the latest trainings, with its table, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from agent.core import Parts
from agent.domain import RoleCatalogue
from agent.pages.learning_curve import MOST_POINTS, Trained, curve, read
from agent.pages.signing.rights import Rights
from agent.pages.texts import load
from agent.pages.words import Words
from agent.store.tables import Training, utcnow
from tests.agent.pages.conftest import signed_in, words_of
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

WORDS = Words(load("en"), RoleCatalogue(()), lambda: datetime(2026, 3, 9, tzinfo=UTC))


def trained(session: Any, *figures: tuple[int, float]) -> None:
    """Store trainings with so many known roles, each right on a share of 150 tickets."""
    for known, share in figures:
        interval = {"low": share - 0.07, "high": share + 0.07}
        pooled = {"tickets": 150, "accuracy": share, "accuracy_interval": interval, "by_role": []}
        metrics = {"known": known, "pooled": pooled} if known else {}
        session.add(Training(started_at=utcnow(), trigger="nightly", outcome="kept", metrics=metrics))


async def test_the_page_shows_trainings_by_the_number_of_known_roles(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        kim = signed_in(server, Rights.VIEWER, "Kim")
        parts.database.call(trained, (300, 0.6), (0, 0.0))
        assert 'class="chart"' not in await kim.see("/models"), "one training is no curve"
        parts.database.call(trained, (1200, 0.8), (300, 0.62))
        page = await kim.see("/models")
    assert page.count('class="chart"') == 1
    told = words_of(page)
    assert "With 300 known roles 62 % were right, with 1,200 it was 80 %" in told, "the later of two with 300"
    assert "More known roles have helped." in told
    assert "1,200 120 of 150 that it had not seen 80 % between 73 and 87 %" in told


def test_the_latest_trainings_are_in_the_order_of_what_they_knew(parts: Parts) -> None:
    parts.database.call(trained, *((known, 0.5) for known in range(40, 20, -1)))
    assert [one.known for one in parts.database.call(read)] == list(range(21, 21 + MOST_POINTS))


@pytest.mark.parametrize(
    ("then", "now", "said"), [(0.6, 0.61, "this may be chance"), (0.6, 0.8, "have helped"), (0.8, 0.6, "harder now")]
)
def test_it_says_no_more_than_the_intervals_do(then: float, now: float, said: str) -> None:
    found = curve([Trained(known, 150, s, s - 0.07, s + 0.07) for known, s in ((100, then), (200, now))], WORDS)
    assert found is not None
    assert said in found.sentences[0]
    assert found.chart is not None
    assert "<script" not in found.chart
