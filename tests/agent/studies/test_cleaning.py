"""Labels that look wrong are listed with a reason that a person can check."""

from __future__ import annotations

import numpy as np

from agent.studies.cleaning import suspicious

ROLES = ("Plumbing", "Network", "Access")


def sure(*truth: int, confidence: float = 0.9) -> np.ndarray:
    rest = (1 - confidence) / 2
    return np.where(np.eye(3)[list(truth)] > 0, confidence, rest)


def test_flipped_labels_are_found_first() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 200)
    given = truth.copy()
    flipped = random.choice(200, 20, replace=False)
    given[flipped] = (truth[flipped] + 1) % 3
    found = suspicious(sure(*truth, confidence=0.8), np.eye(3)[given], ROLES, np.arange(200))
    assert {one.index for one in found} == set(flipped.tolist())


def test_the_reason_names_what_speaks_against_the_label() -> None:
    (found,) = suspicious(sure(1), np.eye(3)[[0]], ROLES, np.arange(1), share=1.0)
    assert (found.given, found.likely) == (("Plumbing",), ("Network",))
    assert found.reason == "the evidence says Network 90%; as given: Plumbing 5%"


def test_the_same_words_under_another_role_are_a_reason_by_themselves() -> None:
    found = suspicious(sure(0, 0, 0), np.eye(3)[[0, 0, 1]], ROLES, np.array([0, 0, 0]), share=1.0)
    assert found[0].index == 2
    assert "nearly the same words were also given to Plumbing (2)" in found[0].reason
    assert found[1].reason == "nearly the same words were also given to Network (1)"


def test_labels_that_all_agree_raise_no_suspicion() -> None:
    assert suspicious(sure(0, 1, 2), np.eye(3), ROLES, np.arange(3), share=1.0) == ()


def test_no_more_than_the_share_is_listed() -> None:
    found = suspicious(sure(*[1] * 20), np.eye(3)[[0] * 20], ROLES, np.arange(20), share=0.15)
    assert len(found) == 3


def test_on_a_multi_label_desk_a_missing_role_is_suspicious() -> None:
    probabilities = np.array([[0.9, 0.95, 0.05], [0.9, 0.05, 0.05]])
    labels = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    found = suspicious(probabilities, labels, ROLES, np.arange(2), share=1.0, multi_label=True)
    assert [(one.index, one.likely) for one in found] == [(0, ("Plumbing", "Network"))]


def test_without_tickets_nothing_is_suspicious() -> None:
    assert suspicious(np.zeros((0, 3)), np.zeros((0, 3)), ROLES, np.zeros(0, dtype=np.int64)) == ()
