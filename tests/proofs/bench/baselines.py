"""What the product is compared with: the majority role, TF-IDF with a linear head, a frozen encoder.

Every baseline is a function from training tickets and judged tickets to probabilities, float64[judged, roles]; labels
are 0/1, [n, roles]. `cross_fitted` turns any of them into honest answers on its own training tickets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from agent.fitting.head import assign_folds, base_rates, fit_head, predict

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

STRENGTH = 10.0  # inverse L2 penalty of the linear head on TF-IDF


def majority(labels: Floats, count: int) -> Floats:
    """Return the base rates of the training tickets, once for each of `count` judged ones."""
    return np.tile(base_rates(labels), (count, 1))


def tfidf(texts: Sequence[str], labels: Floats, judged: Sequence[str], *, multi_label: bool = False) -> Floats:
    """Return the answers of logistic regression on TF-IDF of words and word pairs."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=_WORD)
    try:
        known = vectorizer.fit_transform(texts)
    except ValueError:  # not a single word in any text
        return majority(labels, len(judged))
    return _linear(known, labels, vectorizer.transform(judged), multi_label)


def frozen(
    embeddings: NDArray[np.float32], labels: Floats, judged: NDArray[np.float32], *, multi_label: bool = False
) -> Floats:
    """Return the answers of a linear head on embeddings of the untuned encoder, float32[n, dim]."""
    head = fit_head(embeddings, labels, multi_label=multi_label)
    return np.asarray(predict(head, judged, multi_label=multi_label), dtype=np.float64)


def cross_fitted(
    answer: Callable[[Rows, Rows], Floats],
    labels: Floats,
    groups: NDArray[np.intp],
    *,
    folds: int = 5,
    seed: int = 0,
) -> Floats:
    """Return cross-fitted `answer(training rows, judged rows)` for every ticket, float64[n, roles].

    No near-duplicate group (int[n]) is on both sides of a fold.
    """
    fold_of = assign_folds(labels, groups, folds, seed)
    result = np.zeros(labels.shape)
    for fold in np.unique(fold_of):
        kept, left = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        result[left] = answer(kept, left)
    return result


_WORD = r"(?u)\b\w+\b"  # one-letter words, too: "A/C", "L/H"


def _linear(known: NDArray[np.float64], labels: Floats, judged: NDArray[np.float64], multi_label: bool) -> Floats:
    from sklearn.linear_model import LogisticRegression

    result = np.zeros((judged.shape[0], labels.shape[1]))
    model = LogisticRegression(C=STRENGTH, max_iter=1000)
    if multi_label:
        for role in range(labels.shape[1]):
            seen = np.unique(labels[:, role])
            if len(seen) < 2:
                result[:, role] = seen[0]
            else:
                result[:, role] = model.fit(known, labels[:, role]).predict_proba(judged)[:, 1]
        return result
    truth = labels.argmax(axis=1)
    present = np.unique(truth)
    if len(present) < 2:
        result[:, present] = 1.0
    else:
        result[:, present] = model.fit(known, truth).predict_proba(judged)
    return result
