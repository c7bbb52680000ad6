"""How far looks at a list of changed tickets have come: nothing is read for ever, and nothing is passed over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import LOOK_BACK
from connectors.manifest.polling import SETTLED, Changed, Watermark, conclude, fresh, read_watermark

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND, OVERLAP = timedelta(seconds=1), timedelta(seconds=120)
START = Watermark(told=NOON, since=NOON, seen={})


def row(number: int, seconds: int, digest: str | None = None) -> Changed:
    return Changed(str(number), NOON + seconds * SECOND, {}, digest)


def test_what_changed_in_the_newest_second_is_read_once_more_when_that_is_over() -> None:
    listed = [row(1, 5), row(2, 9)]
    mark = conclude(START, listed, listed, OVERLAP, NOON, complete=True)
    assert fresh(listed, mark, NOON + SETTLED / 2) == []
    assert fresh(listed, mark, NOON + SETTLED) == [listed[1]]
    again = conclude(mark, listed, [listed[1]], OVERLAP, NOON + SETTLED, complete=True)
    assert fresh(listed, again, NOON + timedelta(days=1)) == []


def test_a_clock_that_is_set_back_delays_nothing() -> None:
    mark = conclude(START, [row(1, 5)], [row(1, 5)], OVERLAP, NOON, complete=True)
    assert fresh([row(1, 5)], mark, NOON - timedelta(hours=1)) == [row(1, 5)]


def test_what_is_left_for_the_next_look_stays_unsettled() -> None:
    mark = conclude(START, [row(1, 5)], [row(1, 5)], OVERLAP, NOON, complete=True)
    later = conclude(mark, [row(1, 5), row(2, 90)], [row(2, 90)], OVERLAP, NOON + SECOND, complete=False)
    assert later.unsettled.keys() == {"1", "2"}
    far = conclude(later, [row(3, 900)], [row(3, 900)], OVERLAP, NOON + 9 * SECOND, complete=True)
    assert far.unsettled.keys() == far.seen.keys() == {"3"}, "nothing is kept for ever"


def test_a_change_that_is_dated_years_ahead_hides_no_later_one() -> None:
    """Such a ticket comes of a wrong year in an import, or of a clock that was wrong for an hour."""
    ahead, day = row(1, 10**8), 86_400
    mark = conclude(START, [row(2, 5), ahead], [row(2, 5), ahead], OVERLAP, NOON, complete=True)
    assert (mark.since, fresh([ahead], mark, NOON + SETTLED)) == (row(2, 5).at, [])
    assert fresh([row(2, 5)], mark, NOON + SETTLED) == [row(2, 5)], "its second was the newest"
    assert fresh([row(3, 90), ahead], mark, NOON) == [row(3, 90)]
    skewed = conclude(START, [row(2, day - 1)], [row(2, day - 1)], OVERLAP, NOON, complete=True)
    assert skewed.since == row(2, day - 1).at, "another zone is no wrong clock"
    stuck = conclude(mark, [ahead], [], OVERLAP, NOON, complete=False)
    assert stuck.since == mark.since


def test_a_look_that_had_come_too_far_goes_back() -> None:
    before = Watermark(told=row(1, 10**8).at, since=row(1, 10**8).at, seen={"1": row(1, 10**8).stamp})
    known = read_watermark(before.model_dump_json(), NOON)
    assert (known.since, known.told, known.seen) == (NOON - LOOK_BACK, NOON - LOOK_BACK, before.seen)
    assert read_watermark(START.model_dump_json(), NOON) == START


@pytest.mark.parametrize("listed", [[], [row(1, 0, "other")], [row(1, 0, "same"), row(2, 0, "x")]])
def test_a_list_without_times_is_compared_row_by_row(listed: list[Changed]) -> None:
    known = Watermark(told=NOON, since=NOON, seen={"1": "same", "9": "gone"})
    new = fresh(listed, known, NOON)
    assert [each.digest for each in new] == [each.digest for each in listed if each.digest != "same"]
    mark = conclude(known, listed, new, OVERLAP, NOON, complete=True, timed=False)
    assert (mark.seen.keys(), mark.unsettled) == ({each.id for each in listed}, {})


def test_a_list_without_end_in_which_nothing_is_new_is_left_behind() -> None:
    listed = [row(1, 5)]
    known = conclude(START, listed, listed, timedelta(0), NOON, complete=False)
    mark = conclude(known, listed, [], timedelta(0), NOON, complete=False)
    assert mark.since > listed[0].at
    assert mark.told == START.told
