"""Quality is reported per role, with intervals and calibration, and agrees with the reference implementation."""

from __future__ import annotations

import numpy as np
import pytest

from agent.fitting.evaluation import Interval, bootstrap, calibration_error, correct, evaluate, losses, wilson
from tests.shared import Late

ROLES = ("a", "b", "c")
metrics = Late("sklearn.metrics")


def answers(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated answers: the truth is drawn from the very probabilities."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(3) * 0.5, count)
    truth = np.array([random.choice(3, p=row) for row in probabilities])
    return probabilities, np.eye(3)[truth]


@pytest.mark.xdist_group("trained")  # one worker imports it
def test_the_figures_agree_with_scikit_learn() -> None:
    probabilities, labels = answers(300)
    report = evaluate(probabilities, labels, ROLES)
    truth, chosen = labels.argmax(axis=1), probabilities.argmax(axis=1)
    assert report.accuracy == pytest.approx((truth == chosen).mean())
    assert report.macro_f1 == pytest.approx(metrics.f1_score(truth, chosen, average="macro"))
    assert report.log_loss == pytest.approx(metrics.log_loss(truth, probabilities), rel=1e-3)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, chosen)
    assert [(s.precision, s.recall, s.f1, s.support) for s in report.by_role] == [
        pytest.approx(row) for row in zip(precision, recall, f1, support, strict=True)
    ]


def test_calibrated_probabilities_have_next_to_no_calibration_error_and_boasting_shows() -> None:
    probabilities, labels = answers(5000)
    boasting = probabilities**4 / (probabilities**4).sum(axis=1, keepdims=True)
    assert evaluate(probabilities, labels, ROLES).ece < 0.03
    assert evaluate(boasting, labels, ROLES).ece > 0.1


def test_the_calibration_error_is_the_mean_gap_over_the_bins() -> None:
    assert calibration_error(np.array([0.95, 0.95, 0.55, 0.55]), np.array([1.0, 0.0, 1.0, 0.0])) == pytest.approx(0.25)


def test_the_score_interval_of_18_in_22_is_the_published_one() -> None:
    interval = wilson(18, 22)
    assert (round(interval.low, 3), round(interval.high, 3)) == (0.615, 0.927)


def test_without_any_ticket_nothing_is_known() -> None:
    report = evaluate(np.zeros((0, 3)), np.zeros((0, 3)), ROLES)
    assert report.tickets == 0
    assert report.accuracy_interval == Interval(0.0, 1.0)


def test_the_bootstrap_interval_holds_the_statistic_and_repeats_itself() -> None:
    values = np.random.default_rng(1).normal(size=200)
    first = bootstrap(lambda rows: float(values[rows].mean()), 200)
    assert first.low < values.mean() < first.high
    assert first == bootstrap(lambda rows: float(values[rows].mean()), 200)


def test_a_ticket_with_two_true_roles_is_right_if_either_is_named() -> None:
    assert correct(np.array([[0.2, 0.7, 0.1]]), np.array([[1.0, 1.0, 0.0]])).tolist() == [1.0]


def test_a_multi_label_answer_is_right_only_as_the_exact_set() -> None:
    labels = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    probabilities = np.array([[0.9, 0.6, 0.1], [0.9, 0.4, 0.1]])
    assert correct(probabilities, labels, multi_label=True).tolist() == [1.0, 0.0]


def test_an_impossible_truth_costs_a_finite_loss() -> None:
    assert np.isfinite(losses(np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0]]))).all()
