"""The week in numbers: what became of the tickets of a week, and how often a clear suggestion was right.

    week = Week.of("2026-W47")
    found = database.call(cases, week.shifted(-7).begin, week.end, catalogue)
    figures(week, found).right                # Share(right=36, count=38)

How often clear suggestions are right is taken from random checks alone: people report wrong ones more than right ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import median

from agent.domain import Outcome, Strength, Via, source_of
from agent.report.cases import Case
from heuristics.wilson import wilson_interval

FEWEST = 20
"""Random checks below which a share says too little to be shown."""

BINS = 10

_NAME = re.compile(r"(\d{4})[- ]?W(\d{1,2})", re.ASCII | re.I)


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """A week as ISO 8601 numbers it, from Monday on, local time."""

    year: int
    number: int

    @classmethod
    def of(cls, name: str) -> Week | None:
        """Return the week of this name, such as 2026-W47, 2026-w7 or 2026W07; None for what is no week."""
        found = _NAME.fullmatch(name)
        try:
            monday = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
            return cls.containing(monday) if monday and 1900 < monday.year < 9000 else None
        except ValueError:
            return None

    @classmethod
    def containing(cls, day: date) -> Week:
        """Return the week that a day is in."""
        return cls(*day.isocalendar()[:2])

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02}"

    @property
    def monday(self) -> date:
        """The first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def begin(self) -> datetime:
        """Midnight before Monday."""
        return datetime.combine(self.monday, time()).astimezone()

    @property
    def end(self) -> datetime:
        """Midnight after Sunday."""
        return datetime.combine(self.monday + timedelta(days=7), time()).astimezone()

    def shifted(self, weeks: int) -> Week:
        """Return the week so many weeks later."""
        return Week.containing(self.monday + timedelta(weeks=weeks))


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    right: int = 0
    count: int = 0

    @property
    def share(self) -> float:
        """The part that was right; 0 of none."""
        return self.right / self.count if self.count else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval (Wilson)."""
        return wilson_interval(self.right, self.count)

    @property
    def enough(self) -> bool:
        """Whether there are enough to say anything."""
        return self.count >= FEWEST


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the tickets of a week.

    `reasons` are those of no suggestion; `corrections` count pairs of a suggested role and the right one; `moved` and
    `hours` are by whether the suggestion was clear.
    """

    week: Week
    received: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    right: Share = Share()
    drawn: int = 0
    checked: int = 0
    feedback: int = 0
    corrected: int = 0
    corrections: Counter[tuple[str, str]] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    persons: Counter[str] = field(default_factory=Counter)
    moved: Counter[bool] = field(default_factory=Counter)
    hours: Mapping[bool, tuple[float, int]] = field(default_factory=dict)
    roles: Counter[str] = field(default_factory=Counter)
    clear_roles: Counter[str] = field(default_factory=Counter)
    corrected_roles: Counter[str] = field(default_factory=Counter)


def figures(week: Week, found: Iterable[Case]) -> Figures:
    """Return the figures of a week from its tickets; others are left out."""
    those = [case for case in found if week.begin <= case.filed_at < week.end]
    checks = [case for case in those if case.drawn]
    in_words = [case for case in those if case.strength >= Strength.CONFIRMED and case.via != Via.IMPORT]
    wrong = [case for case in in_words if case.corrected]
    clear = [case for case in those if case.outcome == Outcome.CLEAR]
    return Figures(
        week,
        len(those),
        Counter(case.outcome for case in those),
        Counter(case.reason for case in those if case.outcome == Outcome.NONE),
        right_when_clear(those),
        len(checks),
        sum(case.check is not None for case in checks),
        len(in_words),
        len(wrong),
        corrections(wrong),
        Counter(source_of(case.key) for case in wrong),
        Counter(case.actor for case in wrong if case.actor),
        Counter(case.outcome == Outcome.CLEAR for case in those if case.moved_at),
        _hours(those),
        Counter(case.role for case in those if case.role),
        Counter(case.suggested[0] for case in clear if case.suggested),
        Counter(case.suggested[0] for case in wrong if case.suggested),
    )


def right_when_clear(found: Iterable[Case], role: str | None = None) -> Share:
    """Return how many clear suggestions were right, of all or of one role, by random checks that named roles."""
    judged = [
        case
        for case in found
        if case.drawn and case.check is not None and case.outcome == Outcome.CLEAR and role in (None, *case.suggested)
    ]
    return Share(sum(case.right for case in judged), len(judged))


def corrections(found: Iterable[Case]) -> Counter[tuple[str, str]]:
    """Return how often which suggested role had to be which other; "" is none of ours."""
    wrong = [case for case in found if case.corrected and case.suggested]
    return Counter((case.suggested[0], next(iter(case.said or ()), "")) for case in wrong)


def calibration(found: Iterable[Case]) -> list[tuple[float, Share]]:
    """Return, for each tenth of confidence that has random checks, its begin and how many suggestions were right."""
    bins: dict[int, list[bool]] = {}
    for case in found:
        if case.drawn and case.check is not None and case.suggested and case.confidence is not None:
            place = min(int(case.confidence * BINS), BINS - 1)
            bins.setdefault(place, []).append(case.suggested[0] in case.check)
    return [(place / BINS, Share(sum(bins[place]), len(bins[place]))) for place in sorted(bins)]


def _hours(found: Iterable[Case]) -> dict[bool, tuple[float, int]]:
    """Return the median hours until a move to the right role, and of how many, by whether the suggestion was clear."""
    taken: dict[bool, list[float]] = {}
    for case in found:
        if case.found_at is not None:
            seconds = (case.found_at - case.filed_at).total_seconds()
            taken.setdefault(case.outcome == Outcome.CLEAR, []).append(max(seconds, 0.0) / 3_600)
    return {clear: (median(hours), len(hours)) for clear, hours in taken.items()}
