"""Read dates as people and programs write them. Only the order of day and month is a guess; words tell the rest.

Month names of any language are dateparser's: it is asked once for each word. It is not asked for whole dates, for it
takes a millisecond each, and reads "10" as a day of this month.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

SPREADSHEET_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
"""Day 0 of Excel's serial numbers, from March 1900 on: it counts a 29 February 1900 that was none."""

SPREADSHEET_DAYS = (20_000, 80_000)
"""Serial numbers that are taken for days: 1954 to 2119."""

BUDDHIST = range(2450, 2650)
"""Years that are counted from the Buddha's death, as in Thailand, 543 before ours."""

LAST_YEAR = 2119
"""A ticket of a later one was not filed then: the date is wrong."""

EPOCH_UNITS = ((1e8, 1.0), (1e11, 1e3), (1e14, 1e6), (1e17, 1e9))
"""From which number on it counts seconds, milliseconds, microseconds, nanoseconds since 1970."""


class DateOrder(StrEnum):
    """Whether 03/04/2025 is in April or in March."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


ZONES = {
    **{
        "WET": 0,
        "WEST": 1,
        "CET": 1,
        "MEZ": 1,
        "CEST": 2,
        "MESZ": 2,
        "EET": 2,
        "EEST": 3,
        "MSK": 3,
        "JST": 9,
        "KST": 9,
    },
    **{"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10},
    **{"AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "SAST": 2},
}
"""Hours from UTC by name. CST, IST and BST are left out: each is the name of several zones."""

_WORD = r"[^\W\d_][^\s\d,/\-]*"
_OF = r"(?:of|de|del|d[ei])\s+"
_NUMBERS = re.compile(r"(\d{1,2})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})(?!\d)\.?")
_YEAR_FIRST = re.compile(r"(\d{4})\s?([-/.年]|년)\s?(\d{1,2})\s?([-/.月]|월)\s?(\d{1,2})(?!\d)\s?[日일.]?")
_DAY_WORD = re.compile(
    rf"(\d{{1,2}})(?:st|nd|rd|th|er|º|ª|\.)?[\s\-/]*(?:{_OF})?({_WORD})[\s\-/,]*(?:{_OF})?(\d{{4}}|\d{{2}})(?!\d)(?:\s?г\.)?"
)
_WORD_DAY = re.compile(rf"({_WORD})[\s\-]+(\d{{1,2}})(?:st|nd|rd|th)?[,\s\-]\s*(\d{{4}})(?!\d)")
_YEAR_WORD = re.compile(rf"(\d{{4}})[\s\-/.]+({_WORD})[\s\-/]+(\d{{1,2}})(?!\d)\.?")
_UNIX = re.compile(rf"({_WORD}\s+\d{{1,2}})\s+(\d{{1,2}}:\d\d:\d\d)(?:\s+(\S+))?\s+(\d{{4}})")
_WEEKDAY = re.compile(rf"{_WORD}\s*,?\s+(?=\S)")
_BEFORE, _AFTER = r"am|a\.\s?m\.|午前|上午|오전|π\.?μ\.?|ص", r"pm|p\.\s?m\.|午後|下午|오후|μ\.?μ\.?|م"
_TIME = re.compile(
    rf"(?:[,T|]|at\b|um\b|às\b|à\b|a las\b|alle\b|klo\b|kl\.|om\b|в\b|о\b|-)?\s*(?P<m1>{_BEFORE}|{_AFTER})?\s*"
    r"(?P<hour>\d{1,2})(?:\s?[:.h時时시]\s?(?P<minute>\d{2})?)?(?:[:.m分분]\s?(?P<second>\d{2}))?"
    r"(?:[.,](?P<fraction>\d{1,9}))?\s?(?:Uhr|分|분|秒|ч\.?|h(?:oras?|rs?\.?|s\.?|\.)?)?"
    rf"\s*(?P<m2>{_BEFORE}|{_AFTER})?\s*(?P<zone>Z|UTC|GMT|{'|'.join(ZONES)})?\s*(?P<offset>[+-]\d{{1,2}}(?::?\d{{2}})?)?\s*(?:UTC|GMT)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?")
_ZONED = re.compile(r"(\d{8})T?(\d{6})(?:[.,]\d{1,9})?(Z|[+-]\d{4})")
"""As directories write it (RFC 4517): 20261103091200Z."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_OTHER_ISO = re.compile(r"\d{8}T\d{4}|\d{4}-W\d\d")
_ZONE_NAME = re.compile(r"\[[\w/+!=-]{1,40}\]$")
"""As Java writes it behind the offset (RFC 9557): 2026-11-03T09:12+01:00[Europe/Berlin]."""
_ZONE_IN_BRACKETS = re.compile(r"\(((?:UTC|GMT)?\s?[+-]\d{1,2}(?::?\d\d)?|UTC|GMT|Z|[A-Z]{3,4})\)$")
_OFFSET_AND_NAME = re.compile(r"([+-]\d{2}:?\d{2})\s*\([^()\d]{1,60}\)$")
"""As mails and browsers write it: +0100 (CET), GMT+0100 (Central European Standard Time)."""
_PLACE = re.compile(r"\s((?:Africa|America|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc)/[\w/+-]{1,40})$")
_WEEKDAY_BEHIND = re.compile(r"^\(\w{1,4}\.?\)\s*")
_DOTNET = re.compile(r"/Date\((\d+)(?:[+-]\d{4})?\)/")


def numbers_of(text: str) -> tuple[int, int] | None:
    """Return the two numbers of a date such as 03/04/2025 or 3-4-25, where either may be the month; else None.

    With dots, the day is first wherever dates are written so.
    """
    found = _NUMBERS.match(_plain(text))
    return (int(found[1]), int(found[3])) if found and found[2] != "." else None


def read_time(text: str, order: DateOrder = DateOrder.DAY_FIRST) -> datetime:
    """Return the moment in UTC; a time without a zone is UTC. Raises ValueError where the text is no date."""
    shown, text = text, _OFFSET_AND_NAME.sub(r"\1", _ZONE_NAME.sub("", text.lstrip("'")))
    text = _ZONE_IN_BRACKETS.sub(r"\1", text)
    if place := _PLACE.search(text):
        try:
            zone = ZoneInfo(place[1])
        except (OSError, ValueError, KeyError):
            raise ValueError(f"{shown!r}, no date that can be read") from None
        return read_time(text[: place.start()], order).replace(tzinfo=zone).astimezone(UTC)
    if zoned := _ZONED.fullmatch(text):
        text = f"{zoned[1]}T{zoned[2]}{zoned[3]}"
    try:
        if (text[4:5] == "-" and text[7:8] == "-" and text[13:14] != ".") or _OTHER_ISO.match(text):
            return _utc(_in_our_years(datetime.fromisoformat(text)))
    except (ValueError, OverflowError):
        pass
    plain = _DOTNET.sub(r"\1", _plain(text))
    try:
        if _NUMBER.fullmatch(plain):
            return _counted(plain)
        return _written(plain, order)
    except (ValueError, OverflowError):
        raise ValueError(f"{shown!r}, no date that can be read") from None


def _plain(text: str) -> str:
    kept = (sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    return " ".join("".join(kept).split())


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _counted(text: str) -> datetime:
    """Return the moment of a number: YYYYMMDD and so on, a spreadsheet's day, or a time since 1970."""
    if compact := _COMPACT.fullmatch(text):
        try:
            return datetime(*(int(part) for part in compact.groups(default="0")), tzinfo=UTC)  # type: ignore[misc, arg-type]
        except ValueError:
            pass
    number = float(text.replace(",", "."))
    if SPREADSHEET_DAYS[0] <= number <= SPREADSHEET_DAYS[1]:
        return SPREADSHEET_EPOCH + timedelta(seconds=round(number * 86_400))
    per_second = max((per_second for least, per_second in EPOCH_UNITS if number >= least), default=None)
    if per_second is None:
        raise ValueError(text)
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=number / per_second)


def _written(text: str, order: DateOrder) -> datetime:
    if unix := _UNIX.search(text):  # Tue Mar 04 17:07:00 UTC 2025
        text = text[: unix.start()] + f"{unix[1]} {unix[4]} {unix[2]} {unix[3] or ''}"
    found = _date(text, order)
    if found is None and (weekday := _WEEKDAY.match(text)):
        text = text[weekday.end() :]
        found = _date(text, order)
    if found is None:
        raise ValueError(text)
    (year, month, day), rest = found
    day_of_ours = _in_our_years(datetime(year, month, day))
    return _utc(_at_time(day_of_ours, _WEEKDAY_BEHIND.sub("", rest.strip())))


def _in_our_years(at: datetime) -> datetime:
    """Return a date with the year as it is counted here. Raises ValueError for one that lies too far ahead."""
    if at.year in BUDDHIST:
        return at.replace(year=at.year - 543)  # their leap years are ours
    if at.year > LAST_YEAR:
        raise ValueError(at.year)
    return at


def _date(text: str, order: DateOrder) -> tuple[tuple[int, int, int], str] | None:
    """Return year, month and day at the beginning of a text, and what follows."""
    if found := _YEAR_FIRST.match(text):
        return (int(found[1]), int(found[3]), int(found[5])), text[found.end() :]
    if found := _NUMBERS.match(text):
        day, month = int(found[1]), int(found[3])
        if order == DateOrder.MONTH_FIRST and found[2] != ".":
            day, month = month, day
        return (_year(found[4]), month, day), text[found.end() :]
    for pattern, year, word, day_at in ((_DAY_WORD, 3, 2, 1), (_WORD_DAY, 3, 1, 2), (_YEAR_WORD, 1, 2, 3)):
        if (found := pattern.match(text)) and (named := month_of(found[word].casefold())):
            return (_year(found[year]), named, int(found[day_at])), text[found.end() :]
    return None


def _year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else int(digits) + (2000 if int(digits) < 69 else 1900)


def _at_time(day: datetime, text: str) -> datetime:
    if not text:
        return day
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    hour, half = int(found["hour"]), (found["m1"] or found["m2"] or "").casefold()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + 12 * (re.fullmatch(_AFTER, half) is not None)
    fraction = int((found["fraction"] or "0").ljust(6, "0")[:6])
    minute, second = int(found["minute"] or 0), int(found["second"] or 0)
    at = day.replace(hour=hour % 24, minute=minute, second=min(second, 59), microsecond=fraction)
    if hour == 24 and not (minute or second or half):  # the end of a day (ISO 8601)
        at += timedelta(days=1)
    elif hour > 23 or second > 60:  # a leap second is the last of its minute
        raise ValueError(text)
    named = ZONES.get((found["zone"] or "").upper())
    if found["offset"] is None and named is not None:
        return at.replace(tzinfo=timezone(timedelta(hours=named)))
    return at.replace(tzinfo=_zone(found["offset"])) if found["offset"] else at


def _zone(offset: str) -> timezone:
    digits = offset[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    return timezone((1 if offset[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


@lru_cache(maxsize=1_000)
def month_of(word: str) -> int | None:
    """Return the number of the month that a word of any language names, in full or short; None for other words."""
    import dateparser  # takes a tenth of a second, and most files name no month

    found = dateparser.parse(f"1 {word} 2000", settings={"PARSERS": ["absolute-time"], "STRICT_PARSING": True})
    return found.month if found and found.year == 2000 else None
