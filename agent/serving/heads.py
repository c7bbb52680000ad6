"""What heads of a model have in common, scores and probabilities, and the lexical head.

That is a linear classifier on the words and letters of a text, weighted by TF-IDF. It knows what the encoder does not:
names, numbers, shorthand, and every language. It counts words, pairs of neighbouring words, and runs of 2 to 5 letters
in a word; each is known by its CRC-32 only, so that a model keeps no word of anybody's ticket. Training and serving
count with the same function.

    lexical.safetensors    grams uint32[grams] ascending, rarity float32[grams], weights float32[grams, roles],
                           bias float32[roles]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from unicodedata import category, normalize
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

SMALLEST_PROBABILITY = 1e-6  # a float32 softmax rounds to 0 not far below; its logarithm must stay finite


def probabilities_of(
    logits: NDArray[np.float32], *, multi_label: bool, temperature: float = 1.0
) -> NDArray[np.float32]:
    """Turn logits[n, roles] into probabilities of the same shape.

    Dividing by a temperature fitted on held-out tickets calibrates them (Guo et al. 2017).
    """
    return normalised(logits.astype(np.float64) / temperature, multi_label=multi_label).astype(np.float32)


def normalised(logits: NDArray[np.float64], *, multi_label: bool) -> NDArray[np.float64]:
    """Return the softmax over the roles when a ticket has one role, a sigmoid for each when it may have several."""
    if multi_label:
        sigmoid: NDArray[np.float64] = np.exp(-np.logaddexp(0, -logits))
        return sigmoid
    result: NDArray[np.float64] = np.exp(logits - logits.max(axis=1, keepdims=True))
    result /= result.sum(axis=1, keepdims=True)
    return result


def logits_of(probabilities: NDArray[np.float64], *, multi_label: bool) -> NDArray[np.float64]:
    """Turn probabilities [..., roles] back into logits: logarithms, or log-odds when several roles are possible."""
    likely = np.clip(probabilities, SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY)
    logits: NDArray[np.float64] = np.log(likely)
    return logits - np.log1p(-likely) if multi_label else logits


LONGEST = 10_000
"""Characters of a text that are read: beyond them, time would grow and the answer would not change."""

SHORTEST_RUN, LONGEST_RUN = 2, 5  # letters, with a blank before and after the word
SHORTEST_VECTOR = 1e-6
_OF_WORDS = "LMN"  # general categories: letters, marks (vowel signs are some), numbers

Block = Counter[int]
"""How often each gram occurs, by its CRC-32."""


def grams_of(text: str) -> tuple[Block, Block]:
    """Return the words with word pairs, and the runs of letters."""
    folded = normalize("NFKC", text[:LONGEST]).casefold()
    words = "".join(sign if category(sign)[0] in _OF_WORDS else " " for sign in folded).split()
    pairs = (f"{first} {second}" for first, second in pairwise(words))
    runs = (run for word, times in Counter(words).items() for run in _runs(f" {word} ") for _ in range(times))
    return _counted("w", [*words, *pairs]), _counted("l", runs)


def _runs(word: str) -> Iterator[str]:
    for length in range(SHORTEST_RUN, LONGEST_RUN + 1):
        for start in range(len(word) - length + 1):
            yield word[start : start + length]


def _counted(kind: str, grams: Iterable[str]) -> Block:
    return Counter(crc32((kind + gram).encode()) for gram in grams)


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """The grams that a head knows, ascending, uint32[grams], and how rare each is, float32[grams]."""

    grams: NDArray[np.uint32]
    rarity: NDArray[np.float32]

    def vector(self, text: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the columns of the known grams of a text and their weights; words and letters weigh the same."""
        blocks = [self._block(counts) for counts in grams_of(text)]
        return np.concatenate([columns for columns, _ in blocks]), np.concatenate([weights for _, weights in blocks])

    def _block(self, counts: Block) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        keys = np.fromiter(counts.keys(), np.uint32, len(counts))
        times = np.fromiter(counts.values(), np.float32, len(counts))
        place = np.searchsorted(self.grams, keys)
        known = place < len(self.grams)
        known[known] = self.grams[place[known]] == keys[known]
        columns = place[known]
        weights = (1.0 + np.log(times[known])) * self.rarity[columns]
        length = max(float(np.sqrt(2.0 * weights @ weights)), SHORTEST_VECTOR)
        return columns, (weights / length).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class LexicalHead:
    """A linear classifier on the grams of a lexicon: weights float32[grams, roles], bias float32[roles]."""

    lexicon: Lexicon
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def probabilities(self, texts: Sequence[str], *, multi_label: bool) -> NDArray[np.float32]:
        """Return probabilities, not calibrated: float32[n, roles]."""
        logits = np.tile(self.bias, (len(texts), 1))
        for row, text in enumerate(texts):
            columns, values = self.lexicon.vector(text)
            logits[row] += values @ self.weights[columns]
        return probabilities_of(logits, multi_label=multi_label)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the head as the named arrays that a model folder keeps."""
        return {
            "grams": self.lexicon.grams,
            "rarity": self.lexicon.rarity,
            "weights": self.weights,
            "bias": self.bias,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LexicalHead:
        """Return the head that `to_arrays` wrote. Raises ValueError where the arrays do not fit each other."""
        try:
            grams, rarity, weights, bias = (arrays[name] for name in ("grams", "rarity", "weights", "bias"))
        except KeyError as error:
            raise ValueError(f"{error} is missing") from error
        if grams.ndim != 1 or rarity.shape != grams.shape or weights.shape != (*grams.shape, *bias.shape):
            raise ValueError("grams, rarity, weights and bias are of different sizes")
        if grams.dtype != np.uint32 or (grams[1:] <= grams[:-1]).any():
            raise ValueError("grams are not in ascending order")
        if not all(np.isfinite(array).all() for array in (rarity, weights, bias)):
            raise ValueError("a number is not finite")
        return cls(Lexicon(grams, rarity), weights, bias)
