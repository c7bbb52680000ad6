"""The head separates what is separable, survives what is not, and never judges a text that it has seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.fitting.head import assign_folds, calibrated_loss, fit_head, out_of_fold, predict
from agent.serving.artefact import Head


def clusters(counts: list[int], seed: int = 0, noise: float = 0.05) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return unit vectors around one axis for each role, and their labels."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(counts)), counts)
    points = np.eye(8)[truth] + noise * random.standard_normal((len(truth), 8))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype(np.float32), np.eye(len(counts))[truth]


@pytest.mark.parametrize("counts", [[6, 6], [10, 8, 2], [20, 1, 1, 5]])
def test_texts_that_lie_apart_are_told_apart(counts: list[int]) -> None:
    embeddings, labels = clusters(counts)
    probabilities = predict(fit_head(embeddings, labels), embeddings)
    assert (probabilities.argmax(axis=1) == labels.argmax(axis=1)).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_role_without_examples_is_never_named() -> None:
    embeddings, labels = clusters([5, 0, 5])
    probabilities = predict(fit_head(embeddings, labels), embeddings)
    assert probabilities[:, 1].max() < 0.01
    assert (probabilities > 0).all()


def test_one_role_alone_is_always_named() -> None:
    embeddings, labels = clusters([0, 4])
    assert (predict(fit_head(embeddings, labels), embeddings).argmax(axis=1) == 1).all()


def test_several_roles_a_text_are_learnt_apart() -> None:
    embeddings, labels = clusters([10, 10, 10])
    labels[:, 2] = 1.0  # everything concerns the third role as well
    probabilities = predict(fit_head(embeddings, labels, multi_label=True), embeddings, multi_label=True)
    np.testing.assert_array_equal(probabilities > 0.5, labels > 0)


def test_balanced_roles_give_the_rare_one_a_voice() -> None:
    embeddings, labels = clusters([60, 3], noise=0.6)
    rare = labels[:, 1] > 0
    plain = predict(fit_head(embeddings, labels, balanced=False, strength=1.0), embeddings)
    fair = predict(fit_head(embeddings, labels, strength=1.0), embeddings)
    assert fair[rare, 1].mean() > plain[rare, 1].mean() + 0.1


def test_a_text_of_no_weight_teaches_nothing() -> None:
    embeddings, labels = clusters([10, 10])
    wrong = np.roll(labels, 1, axis=1)
    head = fit_head(
        np.vstack([embeddings, embeddings]),
        np.vstack([labels, wrong]),
        weights=np.repeat([1.0, 0.0], len(labels)),
    )
    assert (predict(head, embeddings).argmax(axis=1) == labels.argmax(axis=1)).all()


@given(st.lists(st.integers(1, 12), min_size=2, max_size=5), st.integers(2, 6), st.integers(0, 3))
def test_groups_stay_together_and_roles_are_spread_evenly(counts: list[int], folds: int, seed: int) -> None:
    _, labels = clusters(counts)
    groups = np.arange(len(labels)) // 2
    fold_of = assign_folds(labels, groups, folds, seed)
    for group in np.unique(groups):
        assert len(np.unique(fold_of[groups == group])) == 1
    alone = assign_folds(labels, np.arange(len(labels)), folds, seed)
    for role, count in enumerate(counts):
        share = np.bincount(alone[labels[:, role] > 0], minlength=folds)
        assert share.max() - share.min() <= 1, (role, count)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_out_of_fold_predictions_cannot_see_their_own_label(seed: int) -> None:
    random = np.random.default_rng(seed)
    noise = random.standard_normal((60, 128)).astype(np.float32)
    labels = np.eye(2)[random.integers(0, 2, 60)]
    seen = predict(fit_head(noise, labels, strength=1e3), noise)
    unseen = out_of_fold(noise, labels, folds=5, seed=seed, strength=1e3)
    right = labels.argmax(axis=1)
    assert (seen.argmax(axis=1) == right).mean() > 0.8
    assert (unseen.argmax(axis=1) == right).mean() < 0.8


def test_out_of_fold_predictions_cover_every_text_and_repeat_themselves() -> None:
    embeddings, labels = clusters([9, 5, 1])
    first = out_of_fold(embeddings, labels, folds=4, seed=3)
    assert first.shape == labels.shape
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, out_of_fold(embeddings, labels, folds=4, seed=3))


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_loss_tells_apart_but_does_not_mind_timidity(multi_label: bool) -> None:
    embeddings, labels = clusters([40, 40, 40], noise=0.7)
    fitted = fit_head(embeddings, labels, multi_label=multi_label)
    timid = Head(fitted.weights / 2, fitted.bias / 2)
    confused = Head(fitted.weights[[1, 0, 2]], fitted.bias[[1, 0, 2]])
    loss = calibrated_loss(fitted, embeddings, labels, multi_label=multi_label)
    assert calibrated_loss(timid, embeddings, labels, multi_label=multi_label) == pytest.approx(loss, rel=0.03)
    assert calibrated_loss(confused, embeddings, labels, multi_label=multi_label) > 2 * loss
