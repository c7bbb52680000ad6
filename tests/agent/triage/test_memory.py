"""The memory of reviewed tickets: corrections count at the next ticket, and only for tickets that say the same."""

from __future__ import annotations

import numpy as np
import pytest

from agent.domain import Strength
from agent.triage.evidence import Heads
from agent.triage.fusion import Fusion
from agent.triage.memory import Memory, ReviewedEmbedding, recall, recall_as_filed, remember

ROLES = ("Plumbing", "Network", "Access")
EVEN = Fusion.untrained(ROLES)
AXES = np.eye(8, dtype=np.float32)


def at(similarity: float, axis: int = 0, away: int = 7) -> np.ndarray:
    """A unit vector whose cosine to `axis` is `similarity`."""
    vector = similarity * AXES[axis] + np.sqrt(1 - similarity**2) * AXES[away]
    return vector.astype(np.float32)


def corrected(key: str, embedding: np.ndarray, old: str, new: str) -> ReviewedEmbedding:
    return ReviewedEmbedding(key, embedding, (new,), Strength.CORRECTED, rejected=(old,))


def answer(memory: Memory, embedding: np.ndarray, model: list[float]) -> str:
    fused = EVEN.answer(Heads(np.array([model])), [[]], recall(memory, embedding[None], EVEN))
    return ROLES[fused[0].argmax()]


STUBBORN = [0.99, 0.005, 0.005]  # a model that insists on Plumbing


@pytest.mark.parametrize("similarity", [1.0, 0.95, 0.9, 0.85, 0.8, 0.75])
def test_the_old_role_is_not_repeated_for_a_corrected_ticket_and_its_paraphrases(similarity: float) -> None:
    memory = remember([corrected("t1", AXES[0], "Plumbing", "Network")], ROLES)
    assert answer(memory, at(similarity), STUBBORN) == "Network"


@pytest.mark.parametrize("similarity", [0.0, 0.2, 0.4])
def test_unrelated_tickets_do_not_move_at_all(similarity: float) -> None:
    memory = remember([corrected("t1", AXES[0], "Plumbing", "Network")], ROLES)
    recalled = recall(memory, at(similarity)[None], EVEN)
    assert recalled.evidence == pytest.approx(np.zeros((1, 3)))
    assert not recalled.corrections.any()


def test_later_reviews_of_the_same_text_outweigh_an_old_correction() -> None:
    later = [ReviewedEmbedding(f"t{i}", AXES[0], ("Plumbing",)) for i in range(2, 8)]
    memory = remember([corrected("t1", AXES[0], "Plumbing", "Network"), *later], ROLES)
    assert answer(memory, AXES[0], [0.8, 0.1, 0.1]) == "Plumbing"


def test_near_neighbours_speak_louder_than_far_ones() -> None:
    memory = remember(
        [ReviewedEmbedding("near", at(0.95), ("Access",)), ReviewedEmbedding("far", at(0.6, away=6), ("Network",))],
        ROLES,
    )
    evidence = recall(memory, AXES[:1], EVEN).evidence[0]
    assert evidence[2] > 0 > evidence[0]
    assert evidence[2] > evidence[1]


def test_the_latest_review_of_a_ticket_is_the_one_that_counts() -> None:
    memory = remember(
        [ReviewedEmbedding("t1", AXES[0], ("Plumbing",)), ReviewedEmbedding("t1", AXES[0], ("Access",))], ROLES
    )
    assert len(memory) == 1
    assert recall(memory, AXES[:1], EVEN).evidence[0].argmax() == 2


def test_reviews_of_retired_roles_are_forgotten() -> None:
    memory = remember(
        [ReviewedEmbedding("t1", AXES[0], ("Retired",)), ReviewedEmbedding("t2", AXES[1], ("Access",))], ROLES
    )
    assert memory.ticket_keys == ("t2",)


def test_similar_reviewed_tickets_are_named_nearest_first() -> None:
    reviews = [
        ReviewedEmbedding("a", at(0.7), ("Access",)),
        ReviewedEmbedding("b", at(0.9), ("Network",)),
        ReviewedEmbedding("c", AXES[3], ("Access",)),
    ]
    (neighbours,) = recall(remember(reviews, ROLES), AXES[:1], EVEN).neighbours
    assert [(one.ticket_key, one.roles) for one in neighbours] == [("b", ("Network",)), ("a", ("Access",))]
    assert neighbours[0].similarity == pytest.approx(0.9)


def test_a_hidden_review_neither_votes_nor_is_named() -> None:
    memory = remember([corrected("t1", AXES[0], "Plumbing", "Network")], ROLES)
    recalled = recall(memory, AXES[:1], EVEN, hidden=np.array([[True]]))
    assert recalled.evidence == pytest.approx(np.zeros((1, 3)))
    assert not recalled.corrections.any()
    assert recalled.neighbours == ((),)


def test_an_empty_memory_is_silent() -> None:
    recalled = recall(remember([], ROLES), AXES[:2], EVEN)
    assert not recalled.evidence.any()
    assert recalled.neighbours == ((), ())


def test_a_weak_review_says_less_than_a_persons_word() -> None:
    weak = remember([ReviewedEmbedding("t1", AXES[0], ("Access",), Strength.CLOSED_AS_SUGGESTED)], ROLES)
    firm = remember([ReviewedEmbedding("t1", AXES[0], ("Access",), Strength.CONFIRMED)], ROLES)
    assert recall(weak, AXES[:1], EVEN).evidence[0, 2] < recall(firm, AXES[:1], EVEN).evidence[0, 2]


def test_on_a_multi_label_desk_all_roles_of_a_neighbour_gain() -> None:
    memory = remember([ReviewedEmbedding("t1", AXES[0], ("Plumbing", "Access"))], ROLES)
    evidence = recall(memory, AXES[:1], Fusion.untrained(ROLES, multi_label=True)).evidence[0]
    assert evidence[0] > 0
    assert evidence[2] > 0 > evidence[1]


def test_a_correction_of_the_same_text_is_demanded_and_one_of_a_similar_text_is_only_a_lesson() -> None:
    memory = remember([corrected("t1", AXES[0], "Plumbing", "Network")], ROLES)
    same, similar = (recall(memory, at(similarity)[None], EVEN) for similarity in (0.99, 0.8))
    assert (same.corrections[0] > 0).tolist() == [False, True, False]
    assert not same.lessons.any()
    assert not similar.corrections.any()
    assert (similar.lessons[0] < 0).tolist() == [True, False, False]


def test_a_correction_is_overridden_by_what_lies_nearer() -> None:
    nearer = ReviewedEmbedding("t2", at(0.95), ("Plumbing",))
    alone = recall(remember([corrected("t1", AXES[0], "Plumbing", "Network")], ROLES), at(0.7)[None], EVEN)
    memory = remember([corrected("t1", AXES[0], "Plumbing", "Network"), nearer], ROLES)
    contradicted = recall(memory, at(0.7)[None], EVEN)
    assert abs(contradicted.lessons[0, 0]) < abs(alone.lessons[0, 0])


def test_a_ticket_recalled_as_filed_sees_older_reviews_only() -> None:
    memory = remember(
        [ReviewedEmbedding("t1", AXES[0], ("Access",)), ReviewedEmbedding("t2", AXES[0], ("Network",))], ROLES
    )
    evidence = recall_as_filed(memory, EVEN, np.array([0, 1])).evidence
    assert evidence[0] == pytest.approx(np.zeros(3))
    assert evidence[1].argmax() == 2


@pytest.mark.parametrize("earlier", [0, 1, 30])
def test_a_resubmitted_ticket_never_gets_its_old_role_however_many_earlier_reviews_agree_with_the_model(
    earlier: int,
) -> None:
    same_text = [ReviewedEmbedding(f"t{i}", AXES[0], ("Plumbing",)) for i in range(earlier)]
    memory = remember([*same_text, corrected("last", AXES[0], "Plumbing", "Network")], ROLES)
    assert answer(memory, AXES[0], [0.99999, 0.000005, 0.000005]) == "Network"
