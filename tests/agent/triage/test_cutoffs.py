"""The operator's "right 9 times in 10" becomes cut-offs that keep the promise on tickets not yet seen."""

from __future__ import annotations

import numpy as np
import pytest

from agent.triage.cutoffs import FEWEST, NEVER, Verdict, careful, fit_cutoffs, judge, precision_coverage

ROLES = ("a", "b", "c")


def answers(count: int, seed: int = 0, sharpness: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(3) * sharpness, count)
    return probabilities, np.eye(3)[[random.choice(3, p=row) for row in probabilities]]


def clear(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    cutoffs = fit_cutoffs(probabilities, labels, ROLES)
    fresh, truth = answers(3000, seed=77)
    verdicts = [judge(row, ROLES, cutoffs) for row in fresh]
    right = [
        label[ROLES.index(v.roles[0])]
        for v, label in zip(verdicts, truth, strict=True)
        if isinstance(v, Verdict) and v.clear
    ]
    return float(np.mean(right)), len(right) / len(fresh)


@pytest.mark.parametrize("seed", range(4))
def test_the_promise_is_kept_on_new_tickets_at_a_useful_coverage(seed: int) -> None:
    precision, coverage = clear(*answers(300, seed))
    assert precision >= 0.88
    assert coverage >= 0.2


def test_however_right_so_few_answers_are_no_record() -> None:
    labels = np.eye(3)[np.zeros(FEWEST, dtype=int)]
    right = np.full((FEWEST, 3), 0.01) + 0.97 * labels
    assert fit_cutoffs(right[1:], labels[1:], ROLES).default == NEVER
    assert fit_cutoffs(right, labels, ROLES).default < 1


def test_answers_no_better_than_chance_are_never_clear() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(3), 300)
    cutoffs = fit_cutoffs(probabilities, np.eye(3)[random.integers(0, 3, 300)], ROLES)
    assert cutoffs.default == NEVER
    assert set(cutoffs.by_role.values()) == {NEVER}


def test_a_role_that_is_often_wrong_is_held_back_while_the_others_speak() -> None:
    probabilities, labels = answers(600)
    boast = probabilities.argmax(axis=1) == 2
    random = np.random.default_rng(3)
    labels[boast] = np.eye(3)[random.integers(0, 3, int(boast.sum()))]
    cutoffs = fit_cutoffs(probabilities, labels, ROLES)
    assert cutoffs.of("c") > 0.99
    assert cutoffs.of("a") < 0.95


@pytest.mark.parametrize("own", [5, 15])
def test_a_rare_role_with_a_clean_record_shares_the_pooled_cutoff_but_with_hardly_any_not_a_low_one(own: int) -> None:
    probabilities, labels = answers(400)
    rows = np.flatnonzero(probabilities.argmax(axis=1) == 2)
    keep = np.setdiff1d(np.arange(400), rows[own:])
    probabilities, labels = probabilities[keep], labels[keep]
    labels[probabilities.argmax(axis=1) == 2] = np.eye(3)[2]
    cutoffs = fit_cutoffs(probabilities, labels, ROLES)
    assert cutoffs.default < careful(0.9) < 0.9
    assert cutoffs.of("c") == (careful(0.9) if own < FEWEST else cutoffs.default)
    assert cutoffs.of("newer than the model") == careful(0.9)


@pytest.mark.parametrize(("unlucky", "lower"), [(6, True), (16, False)])
def test_an_unlucky_role_is_judged_by_the_others_where_all_differ_by_no_more_than_chance(
    unlucky: int, *, lower: bool
) -> None:
    count, roles = 60, tuple("abcdefgh")
    probabilities, wrong = np.full((count * len(roles), len(roles)), 0.01), np.zeros(count * len(roles), dtype=bool)
    role = np.repeat(np.arange(len(roles)), count)
    for index in range(len(roles)):
        mine = np.flatnonzero(role == index)
        probabilities[mine, index] = np.linspace(0.6, 0.95, count)
        wrong[mine[:: count // (unlucky if index == 0 else 3)]] = True
    labels = np.eye(len(roles))[(role + wrong) % len(roles)]
    cutoffs = fit_cutoffs(probabilities, labels, roles)
    assert (cutoffs.of("a") < 0.7) is lower
    assert all(cutoffs.of(name) < 0.7 for name in roles[1:])


def test_a_rare_role_that_is_often_wrong_is_not_judged_by_others_that_are_all_alike() -> None:
    counts, wrongs, roles = (*[60] * 8, 12), (*[3] * 8, 6), tuple("abcdefghi")
    role = np.repeat(np.arange(len(roles)), counts)
    probabilities = np.full((len(role), len(roles)), 0.01)
    probabilities[np.arange(len(role)), role] = np.concatenate([np.linspace(0.6, 0.95, count) for count in counts])
    wrong = np.concatenate([np.arange(count) % (count // bad) == 0 for count, bad in zip(counts, wrongs, strict=True)])
    cutoffs = fit_cutoffs(probabilities, np.eye(len(roles))[(role + wrong) % len(roles)], roles)
    assert all(cutoffs.of(name) < 0.7 for name in roles[:-1])
    assert cutoffs.of("i") > 0.8


def test_a_handful_of_answers_proves_nothing() -> None:
    probabilities = np.array([[0.98, 0.01, 0.01]] * 5)
    assert fit_cutoffs(probabilities, np.eye(3)[[0] * 5], ROLES).default == NEVER


def test_without_answers_no_role_is_clear() -> None:
    assert fit_cutoffs(np.zeros((0, 3)), np.zeros((0, 3)), ROLES).of("a") == NEVER


def test_the_curve_ends_at_full_coverage_with_the_plain_accuracy() -> None:
    probabilities, labels = answers(200)
    curve = precision_coverage(probabilities, labels)
    coverages = [point.coverage for point in curve]
    assert coverages == sorted(coverages)
    assert coverages[-1] == 1.0
    assert curve[-1].precision == pytest.approx((probabilities.argmax(axis=1) == labels.argmax(axis=1)).mean())
    assert curve[-1].interval.low < curve[-1].precision < curve[-1].interval.high


def test_multi_label_answers_are_counted_role_by_role() -> None:
    random = np.random.default_rng(2)
    probabilities = random.random((300, 3))
    labels = (random.random((300, 3)) < probabilities).astype(float)
    cutoffs = fit_cutoffs(probabilities, labels, ROLES, multi_label=True)
    assert 0.6 < cutoffs.default < 1.0
