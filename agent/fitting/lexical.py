"""Fit the lexical head: logistic regression on TF-IDF, by way of the few texts instead of the many grams.

n texts span at most n dimensions. Logistic regression with an L2 penalty finds the same classifier in these as among
all grams (the representer theorem: Schölkopf et al. 2001), in a hundredth of the time. So the head is fitted by
`fit_head` on coordinates in which any two texts have the scalar product that their grams have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array  # type: ignore[import-untyped]  # scipy ships no types

from agent.fitting.head import Labels, fit_head, out_of_fold
from agent.serving.heads import LexicalHead, Lexicon, grams_of

STRENGTH = 20.0  # inverse L2 penalty, for texts of length one
FEWEST_TEXTS = 2  # that a gram has to be in
NEGLIGIBLE = 1e-6  # share of the largest eigenvalue


def fit_lexical(
    texts: Sequence[str],
    labels: Labels,
    groups: NDArray[np.intp],
    *,
    weights: NDArray[np.float64],
    multi_label: bool = False,
    folds: int = 5,
    seed: int = 0,
) -> tuple[LexicalHead, NDArray[np.float32]]:
    """Return the head of n texts, and its answers to them as if it had not seen them: float32[n, roles].

    `labels`: 0/1, [n, roles]; `groups` [n]: no group is on both sides of a fold.
    """
    lexicon = lexicon_of(texts)
    vectors = _matrix(lexicon, texts)
    values, directions = np.linalg.eigh((vectors @ vectors.T).toarray())
    kept = values >= NEGLIGIBLE * values.max(initial=0.0)
    lengths, directions = np.sqrt(np.maximum(values[kept], NEGLIGIBLE**2)), directions[:, kept]
    coordinates = (directions * lengths).astype(np.float32)
    head = fit_head(coordinates, labels, multi_label=multi_label, weights=weights, strength=STRENGTH)
    honest = out_of_fold(
        coordinates,
        labels,
        groups,
        folds=folds,
        seed=seed,
        multi_label=multi_label,
        weights=weights,
        strength=STRENGTH,
    )
    among_grams = vectors.T @ ((directions / lengths) @ head.weights.T)
    return LexicalHead(lexicon, among_grams.astype(np.float32), head.bias), honest


def lexicon_of(texts: Sequence[str]) -> Lexicon:
    """Return the grams that are in several of the texts, with their inverse document frequency."""
    found: Counter[int] = Counter()
    for text in texts:
        words, letters = grams_of(text)
        found.update(words.keys() | letters.keys())
    grams = np.array(sorted(gram for gram, times in found.items() if times >= FEWEST_TEXTS), dtype=np.uint32)
    texts_with = np.array([found[int(gram)] for gram in grams], dtype=np.float64)
    rarity = np.log((1.0 + len(texts)) / (1.0 + texts_with)) + 1.0
    return Lexicon(grams, rarity.astype(np.float32))


def _matrix(lexicon: Lexicon, texts: Sequence[str]) -> csr_array:
    """Return the weights of the grams in the texts, float32[texts, grams]."""
    rows = [lexicon.vector(text) for text in texts]
    starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
    columns, values = (np.concatenate(parts) if parts else np.zeros(0) for parts in zip(*rows, strict=True))
    return csr_array((values, columns, starts), shape=(len(texts), len(lexicon.grams)))
