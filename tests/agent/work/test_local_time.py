"""Nights begin by local time, whatever form TZ has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agent.config.settings import LearningSettings, Settings
from agent.core import Parts
from agent.work.schedule import LocalTime, schedule

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def choose(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield choose
    monkeypatch.undo()
    time.tzset()


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["CET-1CEST", "UTC-3", BERLIN, "Europe/Berlin", "Mars/Phobos", ""])
async def test_the_night_begins_at_its_local_time_to_the_second(
    parts: Parts, zone: Callable[[str], None], name: str
) -> None:
    zone(name)
    learning = LearningSettings(nightly_at="02:30:15")  # type: ignore[arg-type]
    scheduler = schedule(Settings(learning=learning), parts.database, ("false",))
    night = next(job.next_run_time for job in scheduler.get_jobs() if job.name.endswith("retrain_once"))
    scheduler.shutdown(wait=False)
    assert datetime.now(UTC) < night < datetime.now(UTC) + timedelta(days=1, hours=2)
    assert f"{night.astimezone():%H:%M:%S}" == "02:30:15"


def test_local_time_is_that_of_the_zone_in_every_hour_of_a_change(zone: Callable[[str], None]) -> None:
    zone(BERLIN)
    for begin in (datetime(2027, 3, 27, 22, tzinfo=UTC), datetime(2027, 10, 30, 22, tzinfo=UTC)):
        for minutes in range(0, 8 * 60, 30):
            moment = begin + timedelta(minutes=minutes)
            there, expected = moment.astimezone(LocalTime()), moment.astimezone(ZoneInfo("Europe/Berlin"))
            assert (there.replace(tzinfo=None), there.fold) == (expected.replace(tzinfo=None), expected.fold)
            assert there.utcoffset() == expected.utcoffset()
            assert there.astimezone(UTC) == moment
