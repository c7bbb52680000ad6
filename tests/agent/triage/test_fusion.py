"""The pool of model, rules and memory: any voice may be missing, and none may be ignored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agent.fitting.head import base_rates
from agent.triage.evidence import Evidence, Heads, Recall
from agent.triage.fusion import Fusion, Weights, pool
from heuristics.rules import Hit, Kind, Scope

ROLES = ("Plumbing", "Network", "Access")
EVEN = np.full(3, 1 / 3)
SAID = np.array([[0.7, 0.2, 0.1]])
MODEL = Heads(SAID)


def recalled(evidence: object = 0.0, corrections: object = 0.0) -> Recall:
    shape = np.broadcast_shapes(np.shape(evidence), np.shape(corrections), (1, 3))
    return Recall(np.broadcast_to(evidence, shape), np.broadcast_to(corrections, shape), np.zeros(shape))


def hit(role: str, weight: float = 2.0, kind: Kind = Kind.VOTE) -> Hit:
    return Hit(f"{kind}-{role}", role, kind, weight, Scope.BODY, 0, 4, "word")


def test_a_model_alone_is_repeated_at_temperature_one() -> None:
    assert pool(Evidence(EVEN, MODEL), Weights(temperature=1.0)) == pytest.approx(SAID)


def test_a_higher_temperature_makes_the_model_less_sure() -> None:
    assert pool(Evidence(EVEN, MODEL), Weights(temperature=2.0)).max() < SAID.max()


def test_the_lexical_head_counts_by_its_share_and_its_absence_changes_nothing() -> None:
    words = np.array([[0.1, 0.2, 0.7]])
    even = pool(Evidence(EVEN, Heads(SAID, words)), Weights(lexical=0.5))
    assert even[0, 0] == pytest.approx(even[0, 2])
    assert pool(Evidence(EVEN, Heads(SAID, words)), Weights(lexical=1.0)) == pytest.approx(words)
    assert pool(Evidence(EVEN, Heads(SAID, words)), Weights(lexical=0.0)) == pytest.approx(SAID)
    assert pool(Evidence(EVEN, Heads(SAID)), Weights(lexical=0.9)) == pytest.approx(SAID)


def test_without_a_model_rules_decide_over_the_base_rates() -> None:
    fusion = Fusion.untrained(ROLES)
    assert fusion.answer(None, [[hit("Access")]])[0].argmax() == 2
    assert fusion.answer(None, [[]])[0] == pytest.approx(EVEN)


def test_a_strong_rule_overturns_a_doubtful_model_but_not_a_certain_one() -> None:
    fusion = Fusion.untrained(ROLES)
    doubtful, certain = Heads(np.array([[0.5, 0.3, 0.2]])), Heads(np.array([[0.998, 0.001, 0.001]]))
    assert fusion.answer(doubtful, [[hit("Network", 2.5)]])[0].argmax() == 1
    assert fusion.answer(certain, [[hit("Network", 2.5)]])[0].argmax() == 0


def test_a_vetoed_role_is_impossible_whatever_the_model_says() -> None:
    answer = Fusion.untrained(ROLES).answer(MODEL, [[hit("Plumbing", 0.0, Kind.VETO)]])
    assert answer[0, 0] == 0.0
    assert answer.sum() == pytest.approx(1.0)


def test_when_all_roles_are_vetoed_nothing_is_left() -> None:
    vetoes = [hit(role, 0.0, Kind.VETO) for role in ROLES]
    assert not Fusion.untrained(ROLES).answer(MODEL, [vetoes]).any()


def test_a_role_the_model_has_never_seen_can_be_voted_for_by_a_rule() -> None:
    fusion = Fusion.untrained(ROLES).for_roles([*ROLES, "Locksmith"])
    model = Heads(np.array([[0.4, 0.35, 0.25]]))
    assert fusion.roles[fusion.answer(model, [[hit("Locksmith")]])[0].argmax()] == "Locksmith"


def test_a_role_nobody_speaks_for_does_not_dilute_the_others() -> None:
    fusion = Fusion.untrained(ROLES).for_roles([*ROLES, "Locksmith"])
    assert fusion.answer(MODEL, [[]])[0, :3] == pytest.approx(SAID[0], abs=1e-9)


def test_a_correction_beats_a_model_that_is_nearly_certain() -> None:
    model, corrections = Heads(np.array([[0.99, 0.006, 0.004]])), np.array([[-0.98, 0.7, 0.0]])
    assert Fusion.untrained(ROLES).answer(model, [[]], recalled(corrections=corrections))[0].argmax() == 1


def test_on_a_multi_label_desk_two_roles_can_both_be_probable() -> None:
    fusion = Fusion.untrained(ROLES, multi_label=True)
    answer = fusion.answer(Heads(np.array([[0.8, 0.4, 0.1]])), [[hit("Network", 3.0)]])
    assert answer[0, 0] == pytest.approx(0.8)
    assert answer[0, 1] > 0.8


def test_base_rates_leave_no_role_impossible() -> None:
    assert base_rates(np.eye(3)[[0, 0, 0]]) == pytest.approx([4 / 6, 1 / 6, 1 / 6])


def test_the_pool_survives_the_artefact() -> None:
    fusion = Fusion(ROLES, np.array([0.5, 0.3, 0.2]), Weights(1.4, 0.2, 0.5, 0.8, 1.0, 2.0), multi_label=True)
    back = Fusion.from_arrays(ROLES, {name: array.astype(np.float32) for name, array in fusion.to_arrays().items()})
    assert back.multi_label
    assert back.base == pytest.approx(fusion.base)
    assert back.weights.temperature == pytest.approx(1.4)
    assert back.weights.prior_strength == 2.0


def test_an_artefact_without_a_pool_gives_an_untrained_one() -> None:
    assert Fusion.from_arrays(ROLES, {"temperature": np.ones(1)}).weights == Weights()


finite = st.floats(-50, 50)


@given(
    model=arrays(np.float64, (4, 3), elements=st.floats(0, 1)),
    rules=arrays(np.float64, (4, 3), elements=finite),
    memory=arrays(np.float64, (4, 3), elements=finite),
)
def test_whatever_is_said_the_answer_is_a_distribution(
    model: np.ndarray, rules: np.ndarray, memory: np.ndarray
) -> None:
    answer = pool(Evidence(EVEN, Heads(model), rules, recalled(memory)), Weights())
    assert np.isfinite(answer).all()
    assert answer.sum(axis=1) == pytest.approx(np.ones(4))


def test_corrections_keep_a_distribution_even_if_they_take_everything_away() -> None:
    model, corrections = Heads(np.array([[1.0, 0.0, 0.0]])), np.array([[-1.0, 0.7, 0.6]])
    answer = Fusion.untrained(ROLES).answer(model, [[]], recalled(corrections=corrections))
    assert answer.sum() == pytest.approx(1.0)


def test_a_correction_on_a_multi_label_desk_moves_only_the_roles_it_names() -> None:
    fusion = Fusion.untrained(ROLES, multi_label=True)
    answer = fusion.answer(Heads(np.array([[0.9, 0.1, 0.4]])), [[]], recalled(corrections=[[-0.98, 0.7, 0.0]]))[0]
    assert answer[0] < 0.5 < answer[1]
    assert answer[2] == pytest.approx(0.4)
