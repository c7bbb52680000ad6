"""Find out how the dates of a history are written: whether the day or the month is first, or whether there are none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice

from agent.tabular.times import DateOrder, numbers_of, read_time

LOOKED_AT = 1_000
"""Rows that are looked at for a date; more only where they leave open which number is the month."""

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)


class Dates(StrEnum):
    """How a date has to be read."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"
    NONE = "none"
    """There are no dates: the rows stand in the order in which the tickets were filed."""

    def in_words(self) -> str:
        """Return it as a sentence."""
        if self is Dates.NONE:
            return "none, the rows stand in the order in which the tickets were filed, oldest first"
        return f"03/04/2025 would be {'3 April' if self is Dates.DAY_FIRST else '4 March'}; without a zone: UTC"

    def read(self, text: str, column: str) -> datetime:
        """Return the moment in UTC. Raises ValueError, naming the column, where it is no date."""
        if self is Dates.NONE:
            return UNDATED
        try:
            return read_time(text.strip(), DateOrder(self.value))
        except ValueError as error:
            raise ValueError(f"{column} is {error}" if text.strip() else f"no {column}") from None


def dates_of(texts: Iterable[str]) -> Dates:
    """Return how dates are to be read: by the first of which one number can be no month, else as AM and PM suggest.

    Where all are empty, or no column holds them, there are none.
    """
    every = iter(texts)
    start = [text for text in islice(every, LOOKED_AT) if text.strip()]
    if not start:
        return Dates.NONE
    ambiguous = [text for text in start if numbers_of(text)]
    if not ambiguous:
        return Dates.DAY_FIRST
    for text in (*ambiguous, *every):
        first, second = numbers_of(text) or (0, 0)
        if first > 12 or second > 12:
            return Dates.DAY_FIRST if first > 12 else Dates.MONTH_FIRST
    american = any(text.strip().casefold().endswith(("am", "pm", "a.m.", "p.m.")) for text in ambiguous)
    return Dates.MONTH_FIRST if american else Dates.DAY_FIRST
