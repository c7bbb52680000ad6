"""Before the first training similar tickets speak: the server prepares the encoder that compares them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from agent.core import Parts
from agent.domain import Reason
from agent.feedback.importing import Reviewed, take_in
from agent.fitting import base_encoder
from agent.work.first_encoder import prepare_forever
from tests.agent.serving.conftest import counting_encoder
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

TODAY = date(2026, 1, 5)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def teach(parts: Parts) -> None:
    rows = [
        Reviewed("1", "oil oil", "", ("Plumbing & HVAC",), NOON),
        Reviewed("2", "wire wire", "", ("Electrician",), NOON),
    ]
    parts.database.call(take_in, "desk", rows, "tests", parts.classifier.catalogue)


async def follow(parts: Parts, until: Callable[[], bool]) -> None:
    encoders = parts.directory.encoders
    task = asyncio.create_task(prepare_forever(parts.classifier.memory, parts.database, encoders, "counting", 0.0))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not until():
                await asyncio.sleep(0)
    finally:
        task.cancel()


async def test_a_similar_ticket_answers_before_the_first_training(parts: Parts) -> None:
    base_encoder.record(parts.directory.encoders, "counting", counting_encoder(parts.directory.encoders))
    teach(parts)
    classifier = parts.classifier
    assert classifier.opinion("oil", "", TODAY).reason is Reason.UNTAUGHT
    await follow(parts, lambda: not classifier.memory.lacks_encoder)
    parts.follow()
    opinion = classifier.opinion("oil", "", TODAY)
    assert opinion.ranked()[0][0] == "Plumbing & HVAC"
    assert opinion.reason is not Reason.UNTAUGHT
    assert [n.ticket_key for n in opinion.neighbours] == ["desk:1"]
    assert classifier.opinion("door", "", TODAY).reason is Reason.UNTAUGHT  # like none of them

    own = classifier.opinion("oil", "", TODAY, hidden="desk:1")
    assert own.reason is Reason.UNTAUGHT


async def test_nothing_is_prepared_before_there_is_a_ticket_to_compare_with(parts: Parts) -> None:
    base_encoder.record(parts.directory.encoders, "counting", counting_encoder(parts.directory.encoders))
    looked = 0

    def often() -> bool:
        nonlocal looked
        looked += 1
        return looked > 50

    await follow(parts, often)
    assert parts.classifier.memory.lacks_encoder
