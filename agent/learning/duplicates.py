"""Find tickets that say the same thing in nearly the same words, so that no split can be judged on what it has learnt.

Two tickets are near-duplicates if their texts are equal after normalisation (case, punctuation, digits), or if the
Jaccard similarity of their word shingles is at least `SAME`; the relation is passed on (connected components).

    groups = group_duplicates(texts)                    # int[n], numbered by first appearance
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, vstack  # type: ignore[import-untyped]  # scipy ships no types
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]  # scipy ships no types
from sklearn.feature_extraction.text import CountVectorizer

Groups = NDArray[np.int64]

SAME = 0.7  # Jaccard similarity of 1- and 2-word shingles: one word in ten changed
CHUNK = 512  # rows compared at once: memory stays in proportion to this, not to n squared

_DIGITS, _SEPARATORS, _WORD = re.compile(r"\d+"), re.compile(r"[\W_]+"), r"\S+"


def normalise(text: str) -> str:
    """Return the text in lower case, digits as `0`, punctuation and space as single blanks."""
    return _SEPARATORS.sub(" ", _DIGITS.sub("0", text.casefold())).strip()


def group_duplicates(texts: Sequence[str]) -> Groups:
    """Return the group number of each text, int[n], from 0 in order of first appearance."""
    if not texts:
        return np.zeros(0, dtype=np.int64)
    unique, place = np.unique([normalise(text) for text in texts], return_inverse=True)
    component = _components(list(unique))[place]
    _, first = np.unique(component, return_index=True)
    renumber = np.empty(len(first), dtype=np.int64)
    renumber[np.argsort(first, kind="stable")] = np.arange(len(first))
    return renumber[component]


def _components(texts: list[str]) -> Groups:
    shingles = CountVectorizer(ngram_range=(1, 2), binary=True, token_pattern=_WORD, lowercase=False)
    if not any(texts):
        return np.arange(len(texts), dtype=np.int64)
    words = shingles.fit_transform(texts)
    size = np.asarray(words.sum(axis=1)).ravel()
    links = [_similar(words[start : start + CHUNK], words, size, start) for start in range(0, len(texts), CHUNK)]
    _, component = connected_components(vstack(links), directed=False)
    return np.asarray(component, dtype=np.int64)


def _similar(rows: csr_array, words: csr_array, size: NDArray[np.int64], start: int) -> coo_array:
    shared = coo_array(rows @ words.T)
    row, column = shared.coords
    same = shared.data >= SAME * (size[row + start] + size[column] - shared.data)
    return coo_array((np.ones(int(same.sum())), (row[same], column[same])), shape=shared.shape)
