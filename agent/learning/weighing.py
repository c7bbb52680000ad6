"""Weigh a model's heads with rules and memory, on answers that are as honest as those to new tickets.

lexical = lexical_voice(data)                       # the same for every lane
heads = Heads(said, lexical.honest)                 # `said` by the embedding head: out-of-fold, or of unseen tickets
weighed = weigh(data, heads, memory, target=0.9)
weighed.fusion, weighed.cutoffs                     # what serves
weighed.honest                                      # its answers to data.examples as if it had not seen them
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.fitting.evaluation import correct, losses
from agent.fitting.lexical import fit_lexical
from agent.learning.calibration import fit_fusion
from agent.learning.training_data import TrainingData
from agent.serving.lexical import LexicalHead
from agent.triage.cutoffs import Cutoffs, fit_cutoffs
from agent.triage.evidence import Floats, Heads
from agent.triage.fusion import Fusion
from agent.triage.memory import Memory, recall_as_filed


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
