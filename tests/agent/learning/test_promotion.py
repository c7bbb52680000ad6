"""The gate promotes what is not worse, keeps what is, says when it cannot tell, and asks when the roles changed."""

from __future__ import annotations

import numpy as np

from agent.domain import TrainingOutcome as Outcome
from agent.learning.promotion import Comparison, Grades, Terms, decide, probability_worse


def pair(count: int, gained: int, lost: int, loss_change: float = 0.0) -> tuple[Grades, Grades]:
    """A challenger and a champion: `gained` tickets only the challenger gets right, `lost` only the champion."""
    champion = np.ones(count)
    champion[:gained] = 0.0
    challenger = np.ones(count)
    challenger[gained : gained + lost] = 0.0
    spread = np.random.default_rng(0).normal(0, 0.3, count)
    return Grades(challenger, 0.5 + spread + loss_change), Grades(champion, 0.5 + spread)


def silent(challenger: Grades) -> Grades:
    """Return the answers of rules that never hit."""
    return Grades(np.zeros_like(challenger.right), np.full_like(challenger.loss, 5.0))


def test_an_equal_challenger_is_promoted_once_there_is_enough_evidence() -> None:
    challenger, champion = pair(600, 40, 40)
    assert decide(Comparison(challenger, silent(challenger), champion)).outcome is Outcome.PROMOTED


def test_a_worse_challenger_is_kept_out_with_its_numbers() -> None:
    challenger, champion = pair(300, 10, 40)
    decision = decide(Comparison(challenger, silent(challenger), champion))
    assert decision.outcome is Outcome.KEPT
    assert decision.numbers["p_worse"] > 0.9
    assert "probably worse" in decision.reason


def test_equal_results_on_22_tickets_decide_nothing() -> None:
    challenger, champion = pair(22, 2, 2)
    assert decide(Comparison(challenger, silent(challenger), champion)).outcome is Outcome.UNDECIDED


def test_in_between_the_gate_says_that_it_cannot_tell() -> None:
    challenger, champion = pair(100, 10, 11)
    decision = decide(Comparison(challenger, silent(challenger), champion))
    assert decision.outcome is Outcome.UNDECIDED
    assert "may be worse" in decision.reason


def test_as_accurate_but_far_less_honest_is_kept_out() -> None:
    challenger, champion = pair(600, 40, 40, loss_change=0.2)
    assert "less honest" in decide(Comparison(challenger, silent(challenger), champion)).reason


def below_the_rules(lost: int, served: Grades | None = None) -> tuple[Outcome, str]:
    """Return the decision on a challenger that gets `lost` tickets of 150 less right than the rules alone."""
    challenger, rules = pair(150, 0, lost)
    decision = decide(Comparison(challenger, rules, served))
    return decision.outcome, decision.reason


def test_a_challenger_far_below_the_rules_is_kept_out_and_the_figures_are_told() -> None:
    outcome, reason = below_the_rules(15)
    assert outcome is Outcome.KEPT
    assert "nothing beats the rules alone" in reason
    assert "90.0% of 150 tickets, the rules on 100.0%" in reason


def test_one_ticket_more_or_less_of_150_never_decides_about_the_first_model() -> None:
    assert [below_the_rules(lost)[0] for lost in (0, 1, 2)] == [Outcome.PROMOTED] * 3


def test_a_challenger_that_beats_what_serves_has_to_keep_up_with_the_rules_all_the_same() -> None:
    served = Grades(np.zeros(150), np.full(150, 5.0))
    assert [below_the_rules(lost, served)[0] for lost in (0, 15)] == [Outcome.PROMOTED, Outcome.KEPT]


def test_small_steps_down_end_at_the_best_version_that_ever_served() -> None:
    challenger, champion = pair(600, 30, 35)
    best = Grades(np.ones(600), np.zeros(600))
    decision = decide(Comparison(challenger, silent(challenger), champion, best_ever=best))
    assert decision.outcome is Outcome.KEPT
    assert "slow decay" in decision.reason


def test_a_changed_set_of_roles_asks_a_person() -> None:
    challenger, champion = pair(600, 80, 10)
    decision = decide(
        Comparison(challenger, silent(challenger), champion, roles_added=("Locksmith",), roles_removed=("Porter",))
    )
    assert decision.outcome is Outcome.ASKS
    assert "+Locksmith, -Porter" in decision.reason


def test_a_worse_challenger_with_changed_roles_bothers_nobody() -> None:
    challenger, champion = pair(300, 10, 60)
    assert (
        decide(Comparison(challenger, silent(challenger), champion, roles_added=("Locksmith",))).outcome is Outcome.KEPT
    )


def test_the_first_model_may_serve_on_few_tickets_for_nothing_better_is_there() -> None:
    challenger, worse = pair(25, 5, 0)
    assert decide(Comparison(challenger, worse)).outcome is Outcome.PROMOTED


def test_a_stricter_margin_refuses_what_a_wider_one_lets_pass() -> None:
    challenger, champion = pair(600, 40, 40)
    assert (
        decide(Comparison(challenger, silent(challenger), champion), Terms(accuracy_margin=0.005)).outcome
        is not Outcome.PROMOTED
    )


def test_the_probability_of_being_worse_follows_the_discordant_tickets() -> None:
    shares = [probability_worse(*(a.right for a in pair(200, 20, lost)), margin=0.0) for lost in (5, 20, 35)]
    assert shares[0] < 0.05 < 0.4 < shares[1] < 0.6 < 0.95 < shares[2]
