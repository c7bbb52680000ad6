"""Live evidence against the serving model: seldom a false alarm, soon a true one."""

from __future__ import annotations

import numpy as np

from agent.learning.rollback import THRESHOLD, live_evidence


def live(count: int, gained: float, lost: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed).random(count)
    serving, predecessor = np.ones(count), np.ones(count)
    predecessor[draw < gained] = 0.0
    serving[(draw >= gained) & (draw < gained + lost)] = 0.0
    return serving, predecessor


def test_an_equal_model_is_rolled_back_on_at_most_one_life_in_twenty_though_read_after_every_review() -> None:
    alarms = [live_evidence(*live(1000, 0.07, 0.07, seed)).roll_back for seed in range(300)]
    assert np.mean(alarms) <= 1 / THRESHOLD + 0.02


def test_a_model_that_is_10_points_worse_is_noticed() -> None:
    alarms = [live_evidence(*live(300, 0.04, 0.14, seed)).roll_back for seed in range(100)]
    assert np.mean(alarms) > 0.9


def test_tickets_that_both_get_right_or_wrong_say_nothing() -> None:
    verdict = live_evidence(np.array([1.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0]))
    assert (verdict.e_value, verdict.roll_back) == (1.0, False)


def test_an_alarm_is_not_taken_back_and_says_why() -> None:
    serving = np.concatenate([np.zeros(15), np.ones(40)])
    verdict = live_evidence(serving, 1.0 - serving)
    assert verdict.roll_back
    assert "predecessor alone was right 15 times, the serving model 40 times" in verdict.reason


def test_without_reviews_there_is_no_evidence() -> None:
    assert not live_evidence(np.zeros(0), np.zeros(0)).roll_back
