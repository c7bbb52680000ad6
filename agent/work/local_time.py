"""Local time as the system's own library has it, whatever TZ says.

The schedule's library reads only names of zones (Europe/Berlin), while POSIX also allows rules, such as CET-1CEST or
UTC-3. Source: POSIX.1-2017, 8.3 "Other Environment Variables", TZ.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo


class LocalTime(tzinfo):
    """The local time zone of this process."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """Return the difference to UTC at a local time."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, _moment: datetime | None) -> timedelta | None:
        """Return None: only the whole difference to UTC is known."""
        return None

    def tzname(self, _moment: datetime | None) -> str:
        """Return a name; the system may have none."""
        return "local time"

    def fromutc(self, moment: datetime) -> datetime:
        """Return the local time of a time in UTC; the second one of an hour that comes twice is marked by `fold`."""
        there = moment.replace(tzinfo=UTC).astimezone()
        local = there.replace(tzinfo=None)
        return local.replace(tzinfo=self, fold=int(local.astimezone().utcoffset() != there.utcoffset()))
