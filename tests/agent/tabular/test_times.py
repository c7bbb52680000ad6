"""Dates as people and programs write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.tabular.times import DateOrder, numbers_of, read_time

WHEN = datetime(2025, 3, 4, 17, 7, tzinfo=UTC)
SAME = """
04/03/2025 17:07|04/03/2025 5:07 PM|4.3.2025 17:07|04-Mar-2025 17:07|04/Mar/25 5:07 PM|04-03-2025 17:07:00
04.03.25 17:07|2025-03-04T18:07:00+01:00|2025-03-04T17:07:00.000+0000|2025-03-04 17:07:00 UTC|2025-03-04T17:07:00Z
2025/3/4 17:07
2025-03-04 5:07 PM|2025-03-04 17.07|2025-Mar-04 17:07|Tue, 04 Mar 2025 17:07:00 +0000|Tue Mar  4 17:07:00 2025
Tue Mar 04 17:07:00 UTC 2025|Mar 4, 2025, 5:07 PM|Mar 4, 2025, 5:07\u202fPM|March 4th, 2025 at 5:07 p.m.
Tue 04/03/2025 17:07|4. März 2025 17:07 Uhr|Dienstag, 4. März 2025, 17:07|mardi 4 mars 2025 17h07|4 mars 2025 à 17:07
4 de marzo de 2025 17:07|4 de março de 2025 às 17:07|4 марта 2025 г. 17:07|4 Mart 2025 17:07|4.3.2025 klo 17.07
2025. március 4. 17:07|4 maaliskuuta 2025 17:07|4 mrt. 2025 17:07|4 मार्च 2025 17:07
2025年3月4日 17:07|2025年3月4日 下午5:07|2025. 3. 4. 오후 5:07|2025년 3월 4일 17:07|٠٤/٠٣/٢٠٢٥ 17:07
20250304170700|202503041707|1741108020|1741108020.0|1741108020000|1741108020000000|45720.713194444|45720,713194444
20250304T170700Z|20250304T1807+0100|2025-03-04T18:07:00+01:00[Europe/Berlin]|2025-03-04T17:07Z[UTC]|2025-W10-2T17:07Z
2025-03-04 18:07 (UTC+01:00)|2025-03-04 18:07 (CET)|'04/03/2025 17:07|2025-03-04 17:07 (GMT)
Tue, 04 Mar 2025 18:07:00 +0100 (CET)|Tue Mar 04 2025 18:07:00 GMT+0100 (Central European Standard Time)
2025-03-04 18:07:00 Europe/Madrid|4/3/2025 12:07 America/New_York|2025年3月4日（火） 17:07
martes 4 de marzo del 2025 a las 17:07 hs
04/03/2025 17:07 hrs.|4 mar 2025 17:07 horas|mar., 4 mar. 2025 17:07
20250304170700Z|20250304180700.0+0100|04/03/2568 17:07|2568-03-04 17:07|4 มีนาคม 2568 17:07
/Date(1741108020000)/|/Date(1741108020000+0000)/
"""
NONE = (
    "|10|yesterday|2025|31.02.2025|13/13/2025|5:07|04/03/2025 25:00|04/03/2025 17:07 IST|1e9|123456|04 Foo 2025"
    "|04/03/2325 17:07|2325-03-04|04/03/2025 17:07 Europe/Nowhere|9" + "9" * 30
)


@pytest.mark.parametrize("text", [text for line in SAME.split("\n") if line for text in line.split("|")])
def test_the_same_moment_in_many_words(text: str) -> None:
    assert read_time(text) == WHEN


@pytest.mark.parametrize("text", NONE.split("|"))
def test_what_is_no_date_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match="no date"):
        read_time(text)


def test_the_order_of_day_and_month_is_the_files_but_with_dots() -> None:
    assert read_time("03/04/2025 5:07 PM", DateOrder.MONTH_FIRST) == WHEN
    assert read_time("3-4-25 17:07", DateOrder.MONTH_FIRST) == WHEN
    assert read_time("4.3.2025 17:07", DateOrder.MONTH_FIRST) == WHEN
    assert (numbers_of("03/04/2025"), numbers_of("4.3.2025"), numbers_of("2025-03-04")) == ((3, 4), None, None)


def test_noon_and_midnight() -> None:
    assert read_time("31/12/1999 12:00 AM").hour == 0
    assert read_time("31/12/1999 12:00 PM").hour == 12


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2025-03-04 17:07 CET", 16),
        ("04.07.2025 17:07:00 CEST", 15),
        ("4 March 2025 17:07 MEZ", 16),
        ("Tue Mar 04 17:07:00 PST 2025", 1),
        ("2025-03-04 17:07 EST", 22),
        ("2025-03-04 17:07 CET+02:00", 15),
    ],
)
def test_names_of_time_zones_that_mean_one_zone_are_known(text: str, hour: int) -> None:
    assert read_time(text).hour == hour


@pytest.mark.parametrize("text", ["2025-03-04 17:07 IST", "2025-03-04 17:07 CST", "2025-03-04 17:07 XYZ"])
def test_names_that_mean_several_zones_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no date"):
        read_time(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-03-04 24:00:00", datetime(2025, 3, 5, tzinfo=UTC)),
        ("04.03.2025 24:00", datetime(2025, 3, 5, tzinfo=UTC)),
        ("2025-06-30T23:59:60Z", datetime(2025, 6, 30, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_the_last_moments_of_a_day_are_read(text: str, at: datetime) -> None:
    assert read_time(text) == at


@pytest.mark.parametrize("text", ["2025-03-04 24:01", "2025-03-04 23:59:61", "0000-00-00", "04.03.2025 24:00 PM"])
def test_no_moment_comes_after_the_last(text: str) -> None:
    with pytest.raises(ValueError, match="no date that can be read"):
        read_time(text)
