"""Pool what a model's heads, the rules and the memory say about a ticket into one calibrated probability per role.

A logarithmic opinion pool (Heskes, "Selecting weighting factors in logarithmic opinion pools", NeurIPS 1997):

    log p(role) = log p_heads(role) / T + b log base(role) + w rules(role) + m memory(role) + l lessons(role) + c
    log p_heads = (1 - s) log p_embedding + s log p_lexical

The base rates are there for heads that are trained with balanced classes and so have lost them. Rules and memory give
evidence: how far they move a role from its base rate, 0 where they have none. Any of them may be missing: without
heads the base rates take their place. Where a ticket may have several roles, each role is judged by itself, with
log-odds in place of logarithms. What people said about the same text is no evidence but a correction, and applied last.

    fusion = model.fusion                               # or Fusion.untrained(roles)
    fusion = fusion.for_roles(catalogue_roles)          # roles newer than the model take part at once
    recalled = recall(memory, embeddings, fusion)       # agent.triage.memory
    fusion.answer(model.heads(texts), fired, recalled)

`Fusion.answer` is what answers a ticket wherever one is answered: in service, in the contest of two versions, in every
study and, with `own` reviews left out, in the fit. agent.learning.weighing fits the weights; `to_arrays` is what the
artefact keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from agent.fitting.head import base_rates
from agent.serving.heads import logits_of
from agent.triage.evidence import (
    PRIOR_STRENGTH,
    Evidence,
    Flags,
    Floats,
    Heads,
    OwnReviews,
    Recall,
    RuleHistory,
    rule_evidence,
)
from heuristics.rules import Hit

OUT_OF_THE_RACE = -30.0  # score of a role that the model has never seen and no evidence supports
WEIGHTS_ARRAY, BASE_ARRAY, MULTI_LABEL_ARRAY = "fusion.weights", "fusion.base", "fusion.multi_label"


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each kind of evidence counts. The defaults serve until there are reviewed tickets to fit them on.

    `lexical` is the lexical head's share in what the heads say together, 0 to 1. A model of the first release has no
    such head, and five weights and the strength.
    """

    temperature: float = 1.0
    base: float = 0.0
    rules: float = 0.7
    memory: float = 0.5
    lessons: float = 1.0
    prior_strength: float = PRIOR_STRENGTH
    lexical: float = 0.4


def pool(evidence: Evidence, weights: Weights) -> Floats:
    """Return the probability of each role, float64[n, roles]: rows sum to 1, unless multi-label or all is vetoed.

    A role that the heads have never seen starts level with the average role if a rule or a reviewed neighbour supports
    it, and gets probability 0 otherwise: its mere existence must not change the others' probabilities.
    """
    multi_label = evidence.multi_label
    moved = np.zeros_like(evidence.base if evidence.heads is None else evidence.heads.embedding)
    if evidence.rules is not None:
        moved = moved + weights.rules * evidence.rules
    if evidence.recall is not None:
        moved = moved + weights.memory * evidence.recall.evidence + weights.lessons * evidence.recall.lessons
    moved = np.atleast_2d(moved)
    scores = _start(evidence, weights, moved) + moved
    odds = np.exp(scores - (0.0 if multi_label else scores.max(axis=1, keepdims=True)))
    answer: Floats = odds / (1.0 + odds if multi_label else odds.sum(axis=1, keepdims=True))
    if evidence.recall is not None:
        answer = _corrected(answer, evidence.recall.corrections, multi_label)
    if evidence.vetoed is None:
        return answer
    kept: Floats = np.where(evidence.vetoed, 0.0, answer)
    total = np.where(kept.any(axis=1, keepdims=True), kept.sum(axis=1, keepdims=True), 1.0)
    return kept if multi_label else kept / total


def _corrected(answer: Floats, corrections: Floats, multi_label: bool) -> Floats:
    """Return the answers after corrections of the same texts: replaced roles lowered, the named ones raised."""
    kept = answer * (1.0 - np.clip(-corrections, 0.0, 1.0))
    forward = np.clip(corrections, 0.0, 1.0)
    if multi_label:
        return kept + forward * (1.0 - kept)
    forward = forward / np.maximum(forward.sum(axis=1, keepdims=True), 1.0)
    rest = 1.0 - forward.sum(axis=1, keepdims=True)
    total = kept.sum(axis=1, keepdims=True)
    mixed: Floats = kept / np.where(total > 0, total, 1.0) * rest + forward
    return mixed


def _start(evidence: Evidence, weights: Weights, moved: Floats) -> Floats:
    """Return the scores before any evidence: those of the heads where they have an opinion, else the base rates."""
    base = logits_of(evidence.base, multi_label=evidence.multi_label)
    if evidence.heads is None:
        return np.broadcast_to(base, moved.shape)
    known, logits = _said(evidence.heads, weights.lexical, evidence.multi_label)
    newcomer = np.where(moved > 0, -np.log(moved.shape[1]), OUT_OF_THE_RACE)
    return np.where(known, logits / weights.temperature + weights.base * base, newcomer)


def _said(heads: Heads, lexical: float, multi_label: bool) -> tuple[Flags, Floats]:
    """Return which roles the heads know, and the logits of what they say together; [n, roles] each."""
    spoken = [(1.0, heads.embedding)]
    if heads.lexical is not None:
        spoken = [(1.0 - lexical, heads.embedding), (lexical, heads.lexical)]
    known = np.logical_and.reduce([~np.isnan(said) for _, said in spoken])
    logits = sum(share * logits_of(np.where(known, said, 0.5), multi_label=multi_label) for share, said in spoken)
    return known, np.asarray(logits)


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """The fitted pool of one model: its roles, their base rates [roles], the weights and the rules' records.

    `multi_label`: whether a ticket may have several roles. Whoever answers or judges takes it from here.
    """

    roles: tuple[str, ...]
    base: Floats
    weights: Weights = Weights()
    history: RuleHistory = field(default_factory=RuleHistory)
    multi_label: bool = False

    @classmethod
    def untrained(cls, roles: Sequence[str], *, multi_label: bool = False) -> Fusion:
        """Return the pool of a desk without reviewed tickets: every role equally likely, the authors' weights."""
        share = 1.0 / max(len(roles), 2)
        return cls(tuple(roles), np.full(len(roles), share), multi_label=multi_label)

    @classmethod
    def counted(
        cls, roles: Sequence[str], fired: Sequence[Sequence[Hit]], reviews: OwnReviews, *, multi_label: bool
    ) -> Fusion:
        """Return a pool with the base rates and the rules' records of n reviewed tickets, and the authors' weights."""
        if not len(reviews.labels):
            return cls.untrained(roles, multi_label=multi_label)
        base = base_rates(reviews.labels, reviews.trust)
        history = RuleHistory.of(fired, reviews.labels, reviews.trust)
        return cls(tuple(roles), base, history=history, multi_label=multi_label)

    def for_roles(self, roles: Sequence[str]) -> Fusion:
        """Return this pool for the roles it was fitted on and, after them, those of `roles` that are newer."""
        newer = tuple(role for role in roles if role not in self.roles)
        if not newer:
            return self
        base = np.append(self.base, np.full(len(newer), self.base.min() if len(self.base) else 0.5))
        return replace(self, roles=self.roles + newer, base=base if self.multi_label else base / base.sum())

    def gather(
        self,
        heads: Heads | None,
        fired: Sequence[Sequence[Hit]],
        recall: Recall | None = None,
        own: OwnReviews | None = None,
    ) -> Evidence:
        """Return the evidence on n tickets: `heads` for the roles they were fitted on, `fired` and `recall` of each.

        Give `own` for tickets that are in the rules' records: each is answered as if it had never been reviewed.
        """
        rules, vetoed = rule_evidence(
            fired,
            self.roles,
            self.base,
            self.history,
            prior_strength=self.weights.prior_strength,
            multi_label=self.multi_label,
            own=own,
        )
        wide = None if heads is None else heads.widened(len(self.roles))
        return Evidence(self.base, wide, rules, recall, vetoed, self.multi_label)

    def answer(
        self,
        heads: Heads | None,
        fired: Sequence[Sequence[Hit]],
        recall: Recall | None = None,
        own: OwnReviews | None = None,
    ) -> Floats:
        """Return the probability of each of `roles`, float64[n, roles], for n tickets; arguments as for `gather`."""
        return pool(self.gather(heads, fired, recall, own), self.weights)

    def to_arrays(self) -> dict[str, Floats]:
        """Return the pool as the named float arrays that a model artefact keeps."""
        return {
            WEIGHTS_ARRAY: np.array(astuple(self.weights), dtype=np.float64),
            BASE_ARRAY: self.base,
            MULTI_LABEL_ARRAY: np.array([float(self.multi_label)]),
            **self.history.to_arrays(),
        }

    @classmethod
    def from_arrays(cls, roles: Sequence[str], arrays: Mapping[str, NDArray[np.generic]]) -> Fusion:
        """Return the pool that `to_arrays` wrote for these roles; an untrained one where the artefact has none."""
        if WEIGHTS_ARRAY not in arrays:
            return cls.untrained(roles)
        return cls(
            tuple(roles),
            np.asarray(arrays[BASE_ARRAY], dtype=np.float64),
            Weights(*(float(value) for value in arrays[WEIGHTS_ARRAY])),
            RuleHistory.from_arrays(arrays),
            bool(arrays[MULTI_LABEL_ARRAY][0]),
        )
