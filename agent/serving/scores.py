"""Scores and probabilities: a softmax over the roles, or a sigmoid for each where a ticket may have several."""

from __future__ import annotations

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
