"""Weigh a model's heads with rules and memory, on answers that are as honest as those to new tickets.

lexical = lexical_voice(data)                       # the same for every lane
heads = Heads(said, lexical.honest)                 # `said` by the embedding head: out-of-fold, or of unseen tickets
weighed = weigh(data, heads, memory, target=0.9)
weighed.fusion, weighed.cutoffs                     # what serves
weighed.honest                                      # its answers to data.examples as if it had not seen them

The weights are fitted on the recent tickets, by maximum likelihood with a Gaussian prior around weights that are sane
without any data: six scalars, shrunk, because richer calibrators overfit far below 1,000 tickets. So the pooled
probabilities are calibrated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.fitting import head
from agent.fitting.evaluation import correct, losses
from agent.fitting.head import most_plausible
from agent.fitting.lexical import fit_lexical
from agent.learning.training_data import TrainingData
from agent.serving.heads import LexicalHead
from agent.triage.cutoffs import Cutoffs, fit_cutoffs
from agent.triage.evidence import Evidence, Floats, Heads, OwnReviews, Recall
from agent.triage.fusion import Fusion, Weights, pool
from agent.triage.memory import Memory, recall_as_filed
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


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """Fitted weights and cut-offs, the answers that they give, float64[n, roles], and how good these are.

    `accuracy` and `loss` (nats) are means over the recent tickets.
    """

    fusion: Fusion
    cutoffs: Cutoffs
    honest: Floats
    accuracy: float
    loss: float


def weigh(data: TrainingData, heads: Heads, memory: Memory, target: float) -> Weighed:
    """Fit weights and cut-offs on the recent tickets. `heads`: what they say to all tickets, as to unseen ones.

    `memory` holds all of the tickets; each is answered from the reviews that are older than its own.
    """
    recent, multi_label = data.recent, data.multi_label
    reviews, fired = data.reviews(recent), [data.fired[row] for row in recent]
    counted = Fusion.counted(data.roles, fired, reviews, multi_label=multi_label)
    place = {key: row for row, key in enumerate(memory.ticket_keys)}
    recalled = recall_as_filed(memory, counted, np.array([place[e.ticket_key] for e in data.examples], dtype=np.intp))
    fusion = fit_fusion(counted, heads.rows(recent), fired, recalled.rows(recent), reviews)
    answers = fusion.answer(heads, data.fired, recalled)
    answers[recent] = fusion.answer(heads.rows(recent), fired, recalled.rows(recent), reviews)
    cutoffs = fit_cutoffs(answers[recent], reviews.labels, data.roles, target=target, multi_label=multi_label)
    right = correct(answers[recent], reviews.labels, multi_label=multi_label)
    loss = losses(answers[recent], reviews.labels, multi_label=multi_label)
    return Weighed(fusion, cutoffs, answers, float(right.mean()), float(loss.mean()))


@dataclass(frozen=True, slots=True, eq=False)
class LexicalVoice:
    """A lexical head, and what it says to all tickets as if it had not seen them, float32[n, roles]."""

    head: LexicalHead
    honest: NDArray[np.float32]


def lexical_voice(data: TrainingData) -> LexicalVoice:
    """Fit a lexical head on the learnt tickets."""
    learnt, texts = data.learnt, data.texts
    head, out_of_fold = fit_lexical(
        [texts[row] for row in learnt],
        data.labels[learnt],
        data.groups[learnt],
        weights=data.trust[learnt],
        multi_label=data.multi_label,
    )
    said = np.zeros(data.labels.shape, dtype=np.float32)
    said[learnt] = out_of_fold
    others = np.setdiff1d(np.arange(len(texts)), learnt)
    said[others] = head.probabilities([texts[row] for row in others], multi_label=data.multi_label)
    return LexicalVoice(head, said)
