"""Walk through the history of a system as a run of backfill does, with what may happen on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from connectors.base import Connector
from connectors.errors import Transient

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def walk(
    connector: Connector,
    *,
    since: datetime = LONG_AGO,
    messages: bool = False,
    meanwhile: Callable[[], object] = lambda: None,
    repeat: Callable[[], bool] = lambda: False,
) -> Counter[str]:
    """Return how often each closure was told. `meanwhile` happens between parts; `repeat`: the reader died with one."""
    told: Counter[str] = Counter()
    place: str | None = None
    for _ in range(2_000):
        try:
            past = await connector.history(since, place, messages=messages)
        except Transient:
            continue
        meanwhile()
        if repeat():
            continue
        told.update(event.delivery_id for event in past.closures)
        place = past.place
        if past.complete:
            return told
    raise AssertionError("the walk has no end")
