"""How many labels one person may give in a day and still teach: nobody fills the memory or a training alone.

The tickets of one requester, and the closures by one account, in all and in one role, are compared with what is usual
for them: the median of their earlier days. On a day far above that, none of them is learnt from. They are kept, and
`rolecall check` names the day. What staff say in words goes on counting, within the budget where one requester's
tickets are a flood. A person whom the system does not name is unknown: they are not one person.

    teaches = within_budget([given(example) for example in examples])     # in the order of their reviews
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import NamedTuple

from agent.domain import Example, Strength

TICKETS_A_DAY = 5
CLOSURES_A_DAY = 20
CLOSURES_IN_ONE_ROLE = 10
"""So many teach whatever is usual for the person."""

TIMES_USUAL = 3.0
FEWEST_DAYS = 3
"""Of a person who was there on fewer days before, it is not known what is usual."""


LATELY = timedelta(days=7)


class Given(NamedTuple):
    """Who stands behind a label, and when: None for a person that is not known."""

    requester: str | None
    filed_on: date
    reviewer: str | None
    reviewed_on: date
    roles: tuple[str, ...]
    strength: Strength


class Whose(NamedTuple):
    """Whose labels are counted: those of a requester, or of an account, there in all (None) or in one role."""

    requester: str | None = None
    account: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Flood:
    """A day on which somebody gave `labels`, more than `budget`; `rows` of them do not teach."""

    whose: Whose
    day: date
    labels: int
    budget: int
    rows: tuple[int, ...]

    @property
    def by(self) -> str:
        """Whether it is a requester's or an account's."""
        return "requester" if self.whose.requester is not None else "account"


def lately(found: Iterable[Flood], today: date) -> list[Flood]:
    """Return the floods of the last days, those that somebody should look at."""
    return [flood for flood in found if today - flood.day < LATELY]


def given(example: Example) -> Given:
    """Return who stands behind an example's label."""
    reviewed_at = example.reviewed_at or example.filed_at
    days = example.filed_at.date(), reviewed_at.date()
    return Given(example.requester, days[0], example.reviewer, days[1], example.roles, example.strength)


def within_budget(labels: Sequence[Given]) -> list[bool]:
    """Return which labels teach. `labels` are in the order of their reviews."""
    beyond = {row for flood in floods(labels) for row in flood.rows}
    return [row not in beyond for row in range(len(labels))]


def floods(labels: Sequence[Given]) -> list[Flood]:
    """Return the days on which somebody gave far more labels than usual: of requesters, then of accounts."""
    asked = [(row, Whose(one.requester), one.filed_on) for row, one in enumerate(labels) if one.requester is not None]
    found = [_but_words(flood, labels) for flood in _above_usual(asked, TICKETS_A_DAY)]
    gone = {row for flood in found for row in flood.rows}
    closed = [
        (row, one)
        for row, one in enumerate(labels)
        if one.reviewer is not None and one.strength < Strength.CONFIRMED and row not in gone
    ]
    by_account = [(row, Whose(account=one.reviewer), one.reviewed_on) for row, one in closed]
    by_role = [(row, Whose(None, one.reviewer, role), one.reviewed_on) for row, one in closed for role in one.roles]
    found += _above_usual(by_account, CLOSURES_A_DAY)
    found += _above_usual(by_role, CLOSURES_IN_ONE_ROLE)
    return found


def _above_usual(entries: Iterable[tuple[int, Whose, date]], least: int) -> Iterator[Flood]:
    """Yield the floods among labels, each given as its row, whose it is, and its day."""
    rows: dict[Whose, dict[date, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, whose, day in entries:
        rows[whose][day].append(row)
    for whose, days in rows.items():
        if max(map(len, days.values())) <= least:
            continue
        before: list[int] = []
        for day in sorted(days):
            here = days[day]
            budget = max(least, int(TIMES_USUAL * median(before))) if len(before) >= FEWEST_DAYS else least
            if len(here) > budget:
                yield Flood(whose, day, len(here), budget, tuple(here))
            before.append(len(here))


def _but_words(flood: Flood, labels: Sequence[Given]) -> Flood:
    """Return a requester's flood in which the latest words of staff go on teaching, as many as the budget."""
    words = [row for row in flood.rows if labels[row].strength >= Strength.CONFIRMED][-flood.budget :]
    return Flood(flood.whose, flood.day, flood.labels, flood.budget, tuple(sorted(set(flood.rows) - set(words))))
