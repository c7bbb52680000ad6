"""How much one person can teach in a day: no flood does, and nobody is silenced who always gave as many labels."""

from __future__ import annotations

from datetime import date, timedelta

from agent.domain import Strength
from agent.feedback.accounts import (
    CLOSURES_A_DAY,
    CLOSURES_IN_ONE_ROLE,
    TICKETS_A_DAY,
    TIMES_USUAL,
    Given,
    Whose,
    floods,
    within_budget,
)

MONDAY = date(2026, 1, 5)
FLOOD = 50


def label(
    day: int = 0,
    *,
    by: str | None = None,
    closed_by: str | None = None,
    role: str = "Network",
    strength: Strength = Strength.CLOSED,
) -> Given:
    on = MONDAY + timedelta(days=day)
    return Given(by, on, closed_by, on, (role,), strength)


def teach(labels: list[Given]) -> int:
    return sum(within_budget(labels))


def test_a_flood_of_one_requester_teaches_nothing_and_leaves_the_others_alone() -> None:
    others = [label(by=f"requester {n}") for n in range(FLOOD)]
    flood = [label(by="the attacker") for _ in range(FLOOD)]
    assert within_budget([*others, *flood]) == [True] * FLOOD + [False] * FLOOD
    assert teach(flood[:TICKETS_A_DAY]) == TICKETS_A_DAY


def test_a_flood_counts_by_the_day_of_filing_however_slowly_staff_close_it() -> None:
    flood = [label(by="the attacker")._replace(reviewed_on=MONDAY + timedelta(days=n)) for n in range(FLOOD)]
    assert teach(flood) == 0


def test_a_flood_closed_by_one_account_in_one_role_teaches_nothing_and_in_its_other_roles_it_goes_on() -> None:
    flood = [label(closed_by="7", by=f"requester {n}") for n in range(CLOSURES_IN_ONE_ROLE + 1)]
    usual = [label(closed_by="7", role="Plumbing") for _ in range(CLOSURES_IN_ONE_ROLE - 1)]
    assert within_budget([*flood, *usual]) == [False] * len(flood) + [True] * len(usual)
    assert teach(flood[:-1]) == len(flood) - 1


def test_a_flood_closed_by_one_account_over_many_roles_teaches_nothing() -> None:
    assert teach([label(closed_by="7", role=f"role {n % 10}") for n in range(FLOOD)]) == 0
    assert teach([label(closed_by="7", role=f"role {n % 10}") for n in range(CLOSURES_A_DAY)]) == CLOSURES_A_DAY


def test_people_who_are_not_known_are_not_one_person() -> None:
    assert teach([label() for _ in range(FLOOD)]) == FLOOD


def test_a_machine_that_files_many_tickets_every_day_teaches_as_soon_as_that_is_usual() -> None:
    labels = [label(day, by="the monitoring") for day in range(10) for _ in range(FLOOD)]
    assert within_budget(labels) == [False] * 3 * FLOOD + [True] * 7 * FLOOD


def test_one_who_closes_most_tickets_is_not_silenced_on_a_day_with_many() -> None:
    days = [(day, 12) for day in range(5)] + [(5, int(12 * TIMES_USUAL))]
    assert floods([label(day, closed_by="kim") for day, count in days for _ in range(count)])[3:] == []


def test_one_who_closes_everything_on_fridays_is_silent_for_three_of_them_at_most() -> None:
    labels = [label(7 * week, closed_by="kim") for week in range(5) for _ in range(60)]
    assert teach(labels) == 2 * 60


def test_a_flood_after_quiet_months_is_one() -> None:
    quiet = [label(day, by="zoe") for day in range(90)]
    (flood,) = floods([*quiet, *(label(90, by="zoe") for _ in range(FLOOD))])
    assert (flood.whose, flood.day, flood.labels) == (Whose("zoe"), MONDAY + timedelta(days=90), FLOOD)
    assert flood.budget == TICKETS_A_DAY


def test_what_staff_say_in_words_counts_but_no_flood_of_it_about_one_requester() -> None:
    words = [label(by="the attacker", strength=Strength.CORRECTED, closed_by="kim")]
    flood = [label(by="the attacker") for _ in range(FLOOD)]
    assert within_budget([*flood, *words]) == [False] * FLOOD + [True]
    assert teach([*flood, *(words * FLOOD)]) == TICKETS_A_DAY
    assert teach([one._replace(requester=None) for one in words * FLOOD]) == FLOOD


def test_whom_a_flood_of_one_requester_is_assigned_to_is_not_silenced_by_it() -> None:
    flood = [label(by="the attacker", closed_by="kim") for _ in range(FLOOD)]
    own = [label(closed_by="kim") for _ in range(3)]
    assert within_budget([*flood, *own]) == [False] * FLOOD + [True] * 3
