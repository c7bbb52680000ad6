"""Fit how much the heads, the rules and the memory count, so that the pooled probabilities are calibrated.

Fitted on out-of-fold answers to *all* reviewed tickets of the window (a handful of test tickets decides nothing), by
maximum likelihood with a Gaussian prior around weights that are sane without any data: six scalars, shrunk, because
richer calibrators overfit far below 1,000 tickets.

    reviews = OwnReviews(labels, trust)
    counted = Fusion.counted(roles, fired, reviews, multi_label=False)
    recalled = recall_as_filed(memory, counted, rows)               # from reviews older than each ticket
    fusion = fit_fusion(counted, heads, fired, recalled, reviews)   # what the heads say out-of-fold
    honest = fusion.answer(heads, fired, recalled, reviews)   # as if it had not seen these tickets
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agent.fitting import head
from agent.fitting.evaluation import losses
from agent.fitting.head import most_plausible
from agent.triage.evidence import Evidence, Floats, Heads, OwnReviews, Recall
from agent.triage.fusion import Fusion, Weights, pool
from heuristics.rules import Hit

PRIOR = Weights()
SPREAD = (*head.SPREAD, 0.3, 0.3, 0.5, 0.25)  # of the prior: log temperature, base, rules, memory, lessons, lexical
BOUNDS = (*head.BOUNDS, (0.0, 2.0), (0.0, 2.0), (0.0, 1.5), (0.0, 1.0))
PRIOR_STRENGTHS = (1.0, 2.0, 4.0, 8.0, 16.0)


def fit_weights(evidence: Evidence, reviews: OwnReviews, prior: Weights = PRIOR) -> tuple[Weights, float]:
    """Return the most plausible weights and their penalised loss (nats, summed over n tickets).

    Vetoes are left out: no weight applies to them.
    """
    heard = replace(evidence, vetoed=None)
    start = np.array([np.log(prior.temperature), prior.base, prior.rules, prior.memory, prior.lessons, prior.lexical])

    def weights_of(theta: Floats) -> Weights:
        base, rules, memory, lessons, lexical = (float(value) for value in theta[1:])
        return Weights(float(np.exp(theta[0])), base, rules, memory, lessons, prior.prior_strength, lexical)

    def loss(theta: Floats) -> float:
        answers = pool(heard, weights_of(theta))
        return float(losses(answers, reviews.labels, multi_label=evidence.multi_label) @ reviews.trust)

    theta, least = most_plausible(loss, start, SPREAD, BOUNDS)
    return weights_of(theta), least


def fit_fusion(
    counted: Fusion,
    heads: Heads | None,
    fired: Sequence[Sequence[Hit]],
    recall: Recall | None,
    reviews: OwnReviews,
) -> Fusion:
    """Return the pool `counted` (Fusion.counted) with the weights that suit n reviewed tickets best.

    `heads`: out-of-fold, NaN for roles a fold has not seen; `fired`: the rules that matched
    each ticket; `recall`: what `recall_as_filed` gives, from older reviews only.
    """
    if not len(reviews.labels):
        return counted

    def attempt(strength: float) -> tuple[Weights, float]:
        prior = replace(PRIOR, prior_strength=strength)
        evidence = replace(counted, weights=prior).gather(heads, fired, recall, reviews)
        return fit_weights(evidence, reviews, prior)

    strengths = PRIOR_STRENGTHS if any(fired) else (PRIOR.prior_strength,)
    weights, _ = min((attempt(strength) for strength in strengths), key=lambda pair: pair[1])
    return replace(counted, weights=weights)
