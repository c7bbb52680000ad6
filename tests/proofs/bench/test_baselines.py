"""The baselines are honest opponents: they answer for every role and never see what they are judged on."""

from __future__ import annotations

import numpy as np
import pytest

from tests.proofs.bench.baselines import cross_fitted, frozen, majority, tfidf

TEXTS = ["water leaks from the tap", "tap drips water", "no network at my desk", "network cable is broken"] * 3
LABELS = np.eye(3)[[0, 0, 1, 1] * 3]


def test_the_majority_is_the_same_answer_for_everybody() -> None:
    answers = majority(np.eye(3)[[0, 0, 1]], 2)
    assert answers.tolist() == [[3 / 6, 2 / 6, 1 / 6]] * 2


def test_tfidf_tells_roles_apart_by_their_words() -> None:
    answers = tfidf(TEXTS, LABELS, ["water everywhere", "network down"])
    assert answers.argmax(axis=1).tolist() == [0, 1]
    assert answers.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_a_role_without_a_training_ticket_gets_no_probability_from_tfidf() -> None:
    assert tfidf(TEXTS, LABELS, ["water"])[0, 2] == 0.0


def test_tfidf_without_any_word_falls_back_to_the_base_rates() -> None:
    assert tfidf(["!!", "??"], np.eye(3)[[0, 1]], ["water"]) == pytest.approx(majority(np.eye(3)[[0, 1]], 1))


def test_with_a_single_role_tfidf_names_it() -> None:
    assert tfidf(["a b", "c d"], np.eye(3)[[1, 1]], ["e"]).argmax(axis=1).tolist() == [1]


def test_tfidf_on_a_multi_label_desk_may_name_two_roles() -> None:
    labels = np.array([[1.0, 0, 1], [1.0, 0, 1], [0, 1.0, 1], [0, 1.0, 1]] * 3)
    answers = tfidf(TEXTS, labels, ["water network tap cable"], multi_label=True)
    assert answers[0, 2] == 1.0
    assert 0.2 < answers[0, 0] < 0.8


def test_the_frozen_encoder_follows_the_embeddings() -> None:
    embeddings = np.eye(4, dtype=np.float32)[[0, 0, 1, 1] * 3]
    answers = frozen(embeddings, LABELS, np.eye(4, dtype=np.float32)[:2])
    assert answers.argmax(axis=1).tolist() == [0, 1]


def test_cross_fitted_answers_never_see_their_own_duplicate_group() -> None:
    groups = np.repeat(np.arange(6), 2)

    def remember(train: np.ndarray, judged: np.ndarray) -> np.ndarray:
        seen = set(groups[train].tolist())
        assert not seen & set(groups[judged].tolist())
        return np.full((len(judged), 3), len(train) / 12)

    answers = cross_fitted(remember, LABELS, groups, folds=3)
    assert (answers > 0.5).all()
