"""Each role's threshold comes with the record that it rests on, and the figures are those of the fit."""

from __future__ import annotations

import numpy as np
import pytest

from agent.triage.cutoffs import OWN_RECORD, Cutoffs, careful, fit_cutoffs
from agent.triage.thresholds import Basis, Threshold, threshold

ROLES = ("often", "seldom", "rare", "chance")
RIGHT = {"often": 0.97, "seldom": 1.0, "rare": 0.6, "chance": 0.25}
ANSWERS = {"often": 700, "seldom": 12, "rare": 12, "chance": 60}


@pytest.fixture(scope="module")
def record() -> tuple[np.ndarray, np.ndarray]:
    """Honest answers: "often" nearly always right, "seldom" right, "rare" often wrong, "chance" mostly wrong."""
    random = np.random.default_rng(5)
    rows, labels = [], []
    for index, role in enumerate(ROLES):
        for number in range(ANSWERS[role]):
            confidence = random.uniform(0.6, 0.99)
            row = np.full(len(ROLES), (1 - confidence) / (len(ROLES) - 1))
            row[index] = confidence
            rows.append(row)
            right = number < RIGHT[role] * ANSWERS[role]
            labels.append(np.eye(len(ROLES))[index if right else (index + 1) % len(ROLES)])
    return np.array(rows), np.array(labels)


@pytest.fixture(scope="module")
def cutoffs(record: tuple[np.ndarray, np.ndarray]) -> Cutoffs:
    return fit_cutoffs(*record, ROLES)


def of(role: str, cutoffs: Cutoffs, record: tuple[np.ndarray, np.ndarray] | None, trained: bool = True) -> Threshold:
    return threshold(role, ROLES, cutoffs, record, trained=trained)


def test_a_role_with_many_answers_is_judged_by_its_own(cutoffs: Cutoffs, record: tuple[np.ndarray, np.ndarray]) -> None:
    found = of("often", cutoffs, record)
    assert (found.basis, found.own) == (Basis.OWN, 700)
    answers, labels = record
    reached = (answers.argmax(axis=1) == 0) & (answers[:, 0] >= cutoffs.of("often"))
    assert (found.right, found.count) == (labels[reached, 0].sum(), reached.sum())
    assert found.right / found.count >= 0.9


def test_a_role_with_few_answers_shares_the_record_of_all_or_is_raised_above_it(
    cutoffs: Cutoffs, record: tuple[np.ndarray, np.ndarray]
) -> None:
    seldom, rare = of("seldom", cutoffs, record), of("rare", cutoffs, record)
    assert (seldom.basis, seldom.own) == (Basis.SHARED, ANSWERS["seldom"])
    assert seldom.count > OWN_RECORD
    assert rare.basis is Basis.RAISED
    assert rare.confidence is None or rare.confidence > cutoffs.default


def test_a_role_with_hardly_any_answers_says_that_they_are_too_few_to_go_lower(
    record: tuple[np.ndarray, np.ndarray],
) -> None:
    kept = np.setdiff1d(np.arange(len(record[0])), np.flatnonzero(record[0].argmax(axis=1) == 1)[4:])
    few = record[0][kept], record[1][kept]
    found = of("seldom", Cutoffs(0.9, 0.6, {"seldom": float(np.float32(careful(0.9)))}), few)
    assert (found.basis, found.own) == (Basis.FEW, 4)
    assert found.count > OWN_RECORD


def test_a_role_that_is_wrong_too_often_is_never_clear_and_shows_all_its_answers(
    cutoffs: Cutoffs, record: tuple[np.ndarray, np.ndarray]
) -> None:
    found = of("chance", cutoffs, record)
    assert (found.confidence, found.right, found.count) == (None, 15, 60)


def test_without_a_record_the_threshold_says_so(cutoffs: Cutoffs, record: tuple[np.ndarray, np.ndarray]) -> None:
    assert of("often", cutoffs, None).basis is Basis.UNKNOWN
    assert of("newer than the model", cutoffs, record).basis is Basis.UNKNOWN
    assert of("often", Cutoffs(0.8, 0.8), None, trained=False) == Threshold("often", 0.8, 0.8, Basis.TARGET)
