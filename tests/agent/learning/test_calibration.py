"""The fitted pool is calibrated, uses every voice that knows something, and ignores those that do not."""

from __future__ import annotations

import numpy as np
import pytest

from agent.fitting.evaluation import evaluate
from agent.learning.weighing import PRIOR, fit_fusion
from agent.triage.evidence import Heads, OwnReviews, Recall
from agent.triage.fusion import Fusion
from heuristics.rules import Hit, Kind, Scope

ROLES = ("a", "b", "c")


def tickets(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated model probabilities and the truth drawn from them."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(3), count)
    return probabilities, np.eye(3)[[random.choice(3, p=row) for row in probabilities]]


def boasting(probabilities: np.ndarray, power: float = 3.0) -> np.ndarray:
    sharp = probabilities**power
    return sharp / sharp.sum(axis=1, keepdims=True)


def votes(labels: np.ndarray, right: float, seed: int = 1) -> list[list[Hit]]:
    """One rule hit per ticket, for the true role with probability `right`, for any role otherwise."""
    random = np.random.default_rng(seed)
    role = np.where(random.random(len(labels)) < right, labels.argmax(axis=1), random.integers(0, 3, len(labels)))
    return [[Hit(f"rule-{ROLES[i]}", ROLES[i], Kind.VOTE, 1.5, Scope.BODY, 0, 1, "x")] for i in role]


def fitted(
    labels: np.ndarray,
    model: np.ndarray | None,
    fired: list[list[Hit]],
    recall: Recall | None = None,
    *,
    multi_label: bool = False,
) -> Fusion:
    reviews = OwnReviews(labels, np.ones(len(labels)))
    heads = None if model is None else Heads(model)
    return fit_fusion(Fusion.counted(ROLES, fired, reviews, multi_label=multi_label), heads, fired, recall, reviews)


def nothing(labels: np.ndarray) -> list[list[Hit]]:
    return [[] for _ in labels]


def test_a_boasting_model_is_cooled_down_until_it_can_be_believed() -> None:
    honest, labels = tickets(150)
    fusion = fitted(labels, boasting(honest), nothing(labels))
    fresh, truth = tickets(3000, seed=9)
    before = evaluate(boasting(fresh), truth, ROLES).ece
    after = evaluate(fusion.answer(Heads(boasting(fresh)), nothing(truth)), truth, ROLES).ece
    assert fusion.weights.temperature > 1.7
    assert after < 0.05 < before


@pytest.mark.parametrize("seed", range(3))
def test_the_pool_is_better_than_its_best_voice_alone(seed: int) -> None:
    model, labels = tickets(150, seed)
    fusion = fitted(labels, model, votes(labels, 0.6, seed))
    fresh, truth = tickets(2000, seed + 100)
    hits = votes(truth, 0.6, seed + 100)
    pooled = evaluate(fusion.answer(Heads(fresh), hits), truth, ROLES)
    assert pooled.accuracy > evaluate(fresh, truth, ROLES).accuracy
    assert pooled.accuracy > evaluate(fusion.answer(None, hits), truth, ROLES).accuracy
    assert pooled.ece < 0.05


def share_of(embedding: np.ndarray, lexical: np.ndarray, labels: np.ndarray) -> float:
    """Return the share that a lexical head gets beside an embedding head."""
    reviews = OwnReviews(labels, np.ones(len(labels)))
    counted = Fusion.counted(ROLES, nothing(labels), reviews, multi_label=False)
    return fit_fusion(counted, Heads(embedding, lexical), nothing(labels), None, reviews).weights.lexical


def test_the_better_head_gets_the_greater_share() -> None:
    knows, labels = tickets(150)
    guesses, _ = tickets(150, seed=8)
    assert share_of(knows, guesses, labels) < 0.2
    assert share_of(guesses, knows, labels) > 0.8
    assert share_of(knows[:3], guesses[:3], labels[:3]) == pytest.approx(PRIOR.lexical, abs=0.15)


def test_rules_that_know_nothing_do_no_harm() -> None:
    model, labels = tickets(150)
    fusion = fitted(labels, model, votes(labels, 0.0))
    fresh, truth = tickets(2000, seed=5)
    pooled = fusion.answer(Heads(fresh), votes(truth, 0.0, seed=5))
    assert evaluate(pooled, truth, ROLES).log_loss < evaluate(fresh, truth, ROLES).log_loss + 0.03


def test_a_few_tickets_hardly_move_the_weights_from_their_prior() -> None:
    model, labels = tickets(4)
    weights = fitted(labels, model, nothing(labels)).weights
    assert weights.temperature == pytest.approx(PRIOR.temperature, abs=0.4)
    assert weights.rules == pytest.approx(PRIOR.rules)


def test_without_reviewed_tickets_the_pool_is_untrained() -> None:
    assert fitted(np.zeros((0, 3)), None, []).weights == Fusion.untrained(ROLES).weights


def test_without_a_model_rules_are_fitted_alone() -> None:
    _, labels = tickets(150)
    fusion = fitted(labels, None, votes(labels, 0.8))
    _, truth = tickets(1000, seed=3)
    assert evaluate(fusion.answer(None, votes(truth, 0.8, 3)), truth, ROLES).accuracy > 0.8


def test_a_role_that_a_fold_has_not_seen_does_not_break_the_fit() -> None:
    model, labels = tickets(60)
    model[:20, 2] = np.nan
    weights = fitted(labels, model, nothing(labels)).weights
    assert np.isfinite([weights.temperature, weights.rules, weights.memory]).all()


def test_a_multi_label_pool_is_calibrated_too() -> None:
    random = np.random.default_rng(4)
    honest = random.random((400, 3))
    labels = (random.random((400, 3)) < honest).astype(float)
    odds = (honest / (1 - honest)) ** 3
    fusion = fitted(labels, odds / (1 + odds), nothing(labels), multi_label=True)
    pooled = fusion.answer(Heads(odds / (1 + odds)), nothing(labels))
    assert evaluate(pooled, labels, ROLES, multi_label=True).ece < 0.05


def test_lessons_that_prove_wrong_on_this_desk_lose_their_weight() -> None:
    model, labels = tickets(150)
    misleading = np.roll(labels, 1, axis=1) * 4.0
    silence = np.zeros_like(labels)
    taught = fitted(labels, model, nothing(labels), Recall(silence, silence, misleading)).weights.lessons
    untaught = fitted(labels, model, nothing(labels), Recall(silence, silence, silence)).weights.lessons
    assert taught < 0.1
    assert untaught == pytest.approx(PRIOR.lessons)


def test_answers_to_its_own_tickets_do_not_use_their_labels() -> None:
    _, labels = tickets(60)
    telling = [[Hit(f"only-here-{i}", "a", Kind.VOTE, 1.0, Scope.BODY, 0, 1, "x")] for i in range(60)]
    fusion = fitted(labels, None, telling)
    honest = fusion.answer(None, telling, own=OwnReviews(labels, np.ones(len(labels))))
    assert honest == pytest.approx(np.broadcast_to(honest[0], honest.shape))
    assert fusion.answer(None, telling).argmax(axis=1).tolist() == labels.argmax(axis=1).tolist()
