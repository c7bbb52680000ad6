"""Calibrate a model by a temperature and its labels' base rates, fitted on answers to texts that it had not seen.

Both are affine in the head's scores: `folded` puts them into its weights, and a plain softmax (or sigmoid) of the new
head is the calibrated probability. Fitted by maximum likelihood with a Gaussian prior around "as it is", because richer
calibrators overfit far below 1,000 texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.fitting.evaluation import losses
from agent.serving.artefact import Head
from agent.serving.model import logits_of, normalised

Floats = NDArray[np.float64]

SPREAD = (0.5, 0.3)  # standard deviations of the prior: log temperature, weight of the base rates
BOUNDS = ((-1.5, 1.5), (0.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Temperature:
    """How a model's scores become calibrated ones: `value`, and how much the labels' base rates [labels] count."""

    value: float
    base_weight: float
    base: Floats
    multi_label: bool

    def calibrated(self, probabilities: Floats) -> Floats:
        """Return calibrated probabilities for those of the model, float64[n, labels]."""
        base = logits_of(self.base, multi_label=self.multi_label)
        logits = logits_of(probabilities, multi_label=self.multi_label) / self.value + self.base_weight * base
        return normalised(logits, multi_label=self.multi_label)

    def folded(self, head: Head) -> Head:
        """Return a head whose plain softmax (or sigmoid) is the calibrated probability."""
        base = logits_of(self.base, multi_label=self.multi_label)
        bias = head.bias / self.value + self.base_weight * base
        return Head((head.weights / self.value).astype(np.float32), bias.astype(np.float32))


def fit_temperature(probabilities: Floats, labels: Floats, *, multi_label: bool) -> Temperature:
    """Return the calibration of answers to n texts that the model had not seen; both [n, labels], `labels` 0/1."""
    base = base_rates(labels)

    def temperature(theta: Floats) -> Temperature:
        return Temperature(float(np.exp(theta[0])), float(theta[1]), base, multi_label)

    def loss(theta: Floats) -> float:
        return float(losses(temperature(theta).calibrated(probabilities), labels, multi_label=multi_label).sum())

    found, _ = most_plausible(loss, np.zeros(2), SPREAD, BOUNDS)
    return temperature(found)


def base_rates(labels: Floats, trust: Floats | None = None) -> Floats:
    """Return the share of each label among texts (labels 0/1, [n, labels]), smoothed by one text a label."""
    weights = np.ones(len(labels)) if trust is None else trust
    rates: Floats = (weights @ labels + 1.0) / (weights.sum() + labels.shape[1])
    return rates


def most_plausible(
    loss: Callable[[Floats], float], start: Floats, spread: Sequence[float], bounds: Sequence[tuple[float, float]]
) -> tuple[Floats, float]:
    """Return the parameters of least penalised loss, and that loss.

    The penalty is the prior: normal around `start`, with the standard deviations `spread`.
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships no types

    def penalised(theta: Floats) -> float:
        return loss(theta) + 0.5 * float(np.sum(((theta - start) / np.array(spread)) ** 2))

    found = minimize(penalised, start, method="L-BFGS-B", bounds=bounds)
    return found.x, float(found.fun)
