"""The rule report counts what an operator needs to mend a rule."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heuristics import Kind, Rule, RuleSet
from heuristics.report import ReviewedText, RuleFigures, contradict, report
from heuristics.wilson import wilson_interval

RULES = RuleSet(
    [
        Rule("oil", "Hydraulics", keywords=("oil",)),
        Rule("hose", "Hydraulics", keywords=("hose",)),
        Rule("grease", "Lubrication", weight=2.0, keywords=("grease",)),
        Rule("no-lube", "Lubrication", Kind.VETO, weight=0.0, keywords=("cab",)),
        Rule("old", "Engine", keywords=("oil",), active_until=date(2009, 12, 31)),
    ]
)


def reviewed(number: int, text: str, *roles: str, year: int = 2010) -> ReviewedText:
    return ReviewedText(f"t{number}", text, "", roles, date(year, 6, 1))


TICKETS = [
    reviewed(1, "oil hose, oil everywhere", "Hydraulics"),
    reviewed(2, "oil in the grease", "Lubrication"),
    reviewed(3, "grease in the cab", "Cabin"),
    reviewed(4, "nothing known", "Bucket"),
    reviewed(5, "oil change", "Engine", "Hydraulics"),
    reviewed(6, "cab grease gun", "Lubrication"),
]


def figures(rule_id: str) -> RuleFigures:
    return next(one for one in report(RULES, TICKETS).rules if one.rule.id == rule_id)


def test_coverage_counts_tickets_and_hits_apart() -> None:
    oil = figures("oil")
    assert (oil.tickets, oil.hits) == (3, 4)


def test_precision_counts_tickets_whose_roles_include_the_rules_and_lists_the_others() -> None:
    oil = figures("oil")
    assert oil.precision == pytest.approx(2 / 3)
    assert oil.wrong_ids == ("t2",)
    assert oil.interval == wilson_interval(2, 3)


def test_overlaps_are_with_any_rule_and_conflicts_with_rules_of_other_roles() -> None:
    oil = figures("oil")
    assert (oil.overlaps, oil.conflicts, oil.against) == (2, 1, (("grease", 1),))
    assert figures("hose").conflicts == 0


def test_a_veto_is_right_where_people_chose_another_role_and_conflicts_with_votes_for_its_own() -> None:
    veto = figures("no-lube")
    assert (veto.tickets, veto.right, veto.wrong_ids, veto.against) == (2, 1, ("t6",), (("grease", 2),))


@pytest.mark.parametrize(
    ("one", "other", "contradicts"),
    [
        ("oil", "hose", False),
        ("oil", "grease", True),
        ("grease", "no-lube", True),
        ("oil", "no-lube", False),
        ("no-lube", "no-lube", False),
        ("no-lube", "no-cabin", False),
    ],
)
def test_votes_for_two_roles_contradict_and_a_vote_and_a_veto_of_one(one: str, other: str, contradicts: bool) -> None:
    rules = {rule.id: rule for rule in (*RULES.rules, Rule("no-cabin", "Cabin", Kind.VETO, keywords=("boom",)))}
    assert contradict(rules[one], rules[other]) is contradict(rules[other], rules[one]) is contradicts


def test_a_rule_that_never_hits_on_its_days_is_dead_and_has_no_precision() -> None:
    old = figures("old")
    assert old.dead
    assert old.precision is None
    assert old.interval == (0.0, 1.0)
    assert not report(RULES, [reviewed(7, "oil", "Engine", year=2009)]).rules[-1].dead


def test_the_whole_says_how_often_rules_alone_decide_and_are_right() -> None:
    whole = report(RULES, TICKETS)
    assert (whole.tickets, whole.covered, whole.decided, whole.right) == (6, 5, 3, 3)


def test_a_report_on_no_tickets_has_every_rule_dead() -> None:
    assert all(one.dead for one in report(RULES, []).rules)


def test_the_interval_agrees_with_the_published_example() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), pages 857-872, table I: 81 of 263 and 0 of 20."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


@given(st.integers(1, 10_000), st.data())
def test_the_interval_holds_the_share_and_stays_within_bounds(cases: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, cases))
    low, high = wilson_interval(successes, cases)
    assert 0.0 <= low <= successes / cases + 1e-12
    assert successes / cases - 1e-12 <= high <= 1.0
