"""The lexical head is the classifier that its grams ask for, honest about its own texts, and speaks every language."""

from __future__ import annotations

import numpy as np
import pytest

from agent.fitting.lexical import STRENGTH, fit_lexical, lexicon_of
from agent.serving.heads import LONGEST, LexicalHead, grams_of
from tests.shared import Late

pytestmark = pytest.mark.xdist_group("trained")  # one worker imports scikit-learn
linear_model = Late("sklearn.linear_model")

DESKS = {
    "English": (["tap drips water", "water under the sink"], ["no network here", "the network cable broke"]),
    "German": (["Wasserhahn tropft", "Wasser im Keller"], ["Netzwerkdrucker druckt nicht", "Drucker gestört"]),
    "Turkish": (["musluk su damlatıyor", "lavabo su kaçırıyor"], ["ağ bağlantısı yok", "internet bağlantısı koptu"]),
    "Chinese": (["水龙头漏水", "厨房漏水了"], ["网络连接断开", "没有网络信号"]),
    "Japanese": (["水道から水が漏れる", "台所の水が止まらない"], ["ネットワークに繋がらない", "ネットワークが遅い"]),
    "Hindi": (["नल से पानी टपक रहा है", "रसोई में पानी रिस रहा है"], ["नेटवर्क नहीं चल रहा", "नेटवर्क बहुत धीमा है"]),
    "Arabic": (["الصنبور يسرب الماء", "الماء يتسرب في المطبخ"], ["الشبكة لا تعمل", "الشبكة بطيئة جدا"]),
}
TEXTS = [text for pair in zip(*DESKS["English"], strict=True) for text in pair] * 5
LABELS = np.eye(2)[[0, 1] * 10]


def fitted(texts: list[str], labels: np.ndarray, groups: np.ndarray | None = None) -> tuple[LexicalHead, np.ndarray]:
    groups = np.arange(len(texts)) if groups is None else groups
    return fit_lexical(texts, labels, groups, weights=np.ones(len(texts)))


@pytest.mark.parametrize("language", DESKS)
def test_it_tells_roles_apart_in_any_language(language: str) -> None:
    water, network = DESKS[language]
    head, _ = fitted([*water, *network] * 2, np.eye(2)[[0, 0, 1, 1] * 2])
    asked = [water[0][:-1], network[0][:-1]]
    assert head.probabilities(asked, multi_label=False).argmax(axis=1).tolist() == [0, 1]


def test_fitted_by_way_of_the_texts_it_is_the_head_that_all_grams_would_give() -> None:
    head, _ = fitted(TEXTS, LABELS)
    dense = np.zeros((len(TEXTS), len(head.lexicon.grams)))
    for row, text in enumerate(TEXTS):
        columns, values = head.lexicon.vector(text)
        dense[row, columns] = values
    direct = linear_model.LogisticRegression(C=STRENGTH, class_weight="balanced", tol=1e-8).fit(
        dense, LABELS.argmax(axis=1)
    )
    np.testing.assert_allclose(head.probabilities(TEXTS, multi_label=False), direct.predict_proba(dense), atol=2e-3)


def test_its_honest_answers_never_saw_a_near_duplicate() -> None:
    """Labels without sense can be learnt by heart, but not foreseen."""
    random = np.random.default_rng(0)
    texts = [f"ticket {number} {random.integers(10**9)}" for number in range(40)] * 2
    labels = np.tile(np.eye(2)[random.integers(0, 2, 40)], (2, 1))
    head, honest = fitted(texts, labels, np.tile(np.arange(40), 2))
    right = labels.argmax(axis=1)
    assert (head.probabilities(texts, multi_label=False).argmax(axis=1) == right).all()
    assert (honest.argmax(axis=1) == right).mean() < 0.7


def test_as_kept_it_answers_as_fitted_and_keeps_no_word() -> None:
    head, _ = fitted(TEXTS, LABELS)
    arrays = head.to_arrays()
    kept = LexicalHead.from_arrays(arrays)
    said = [one.probabilities(["no water", "network"], multi_label=False) for one in (head, kept)]
    np.testing.assert_array_equal(*said)
    assert not any(word in array.tobytes() for array in arrays.values() for word in (b"water", b"network"))


def test_a_text_without_a_known_gram_gets_what_no_text_gets() -> None:
    head, _ = fitted(TEXTS, LABELS)
    unknown = head.probabilities(["", "?!", "ŵẍŷ"], multi_label=False)
    assert (unknown == unknown[0]).all()


def test_on_a_multi_label_desk_it_may_name_two_roles() -> None:
    labels = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]] * 6)
    texts = ["water drips from the pipe", "no power in the socket", "water drips into the socket"] * 6
    head, honest = fit_lexical(texts, labels, np.arange(18), weights=np.ones(18), multi_label=True)
    assert (head.probabilities(texts[2:3], multi_label=True) > 0.5).all()
    assert honest.shape == labels.shape


def test_texts_without_any_gram_in_common_make_a_head_that_says_nothing() -> None:
    head, _ = fitted(["abc", "xyz"], np.eye(2))
    assert head.probabilities(["abc"], multi_label=False)[0] == pytest.approx([0.5, 0.5])


def test_what_a_text_costs_is_bounded() -> None:
    endless = "water " * LONGEST
    assert grams_of(endless) == grams_of(endless[:LONGEST])


def test_a_gram_of_one_text_is_left_out_and_a_rare_one_weighs_more() -> None:
    lexicon = lexicon_of(["pump pump", "pump valve", "pump valve crane"])
    known = [len(lexicon.vector(text)[0]) > 0 for text in ("pump", "valve", "xyz")]
    assert known == [True, True, False]
    assert max(lexicon.rarity) > min(lexicon.rarity)
