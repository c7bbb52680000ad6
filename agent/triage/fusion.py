"""Pool what the model, the rules and the memory say about a ticket into one calibrated probability per role.

A logarithmic opinion pool (Heskes, "Selecting weighting factors in logarithmic opinion pools", NeurIPS 1997):

    log p(role) = log p_model(role) / T + b log base(role) + w rules(role) + m memory(role) + l lessons(role) + c

The base rates are there for heads that are trained with balanced classes and so have lost them. Rules and memory give
evidence: how far they move a role from its base rate, 0 where they have none. Any of the three may be missing:
without a model the base rates take its place. Where a ticket may have several roles, each role is judged by itself,
with log-odds in place of logarithms. What people said about the same text is no evidence but a correction, and
applied last.

    fusion = model.fusion                               # or Fusion.untrained(roles)
    fusion = fusion.for_roles(catalogue_roles)          # roles newer than the model take part at once
    recalled = recall(memory, embeddings, fusion)       # agent.triage.memory
    fusion.answer(model.probabilities(texts), fired, recalled)

`Fusion.answer` is what answers a ticket wherever one is answered: in service, in the contest of two versions, in every
study and, with `own` reviews left out, in the fit. agent.learning.calibration fits the weights; `to_arrays` is what the
artefact keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from agent.fitting.head import base_rates
from agent.serving.model import logits_of
from agent.triage.evidence import Evidence, Floats, OwnReviews, Recall
from agent.triage.rule_evidence import PRIOR_STRENGTH, RuleHistory, rule_evidence
from heuristics.rules import Hit

OUT_OF_THE_RACE = -30.0  # score of a role that the model has never seen and no evidence supports
WEIGHTS_ARRAY, BASE_ARRAY, MULTI_LABEL_ARRAY = "fusion.weights", "fusion.base", "fusion.multi_label"


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each kind of evidence counts. The defaults serve until there are reviewed tickets to fit them on."""

    temperature: float = 1.0
    base: float = 0.0
    rules: float = 0.7
    memory: float = 0.5
    lessons: float = 1.0
    prior_strength: float = PRIOR_STRENGTH


def pool(evidence: Evidence, weights: Weights) -> Floats:
    """Return the probability of each role, float64[n, roles]: rows sum to 1, unless multi-label or all is vetoed.

    A role that the model has never seen starts level with the average role if a rule or a reviewed neighbour supports
    it, and gets probability 0 otherwise: its mere existence must not change the others' probabilities.
    """
    multi_label = evidence.multi_label
    moved = np.zeros_like(evidence.base if evidence.model is None else evidence.model)
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
    """Return the scores before any evidence: the model's where it has an opinion, else the base rates."""
    base = logits_of(evidence.base, multi_label=evidence.multi_label)
    if evidence.model is None:
        return np.broadcast_to(base, moved.shape)
    known = ~np.isnan(evidence.model)
    logits = logits_of(np.where(known, evidence.model, 0.5), multi_label=evidence.multi_label)
    newcomer = np.where(moved > 0, -np.log(moved.shape[1]), OUT_OF_THE_RACE)
    return np.where(known, logits / weights.temperature + weights.base * base, newcomer)


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
        model: NDArray[np.floating] | None,
        fired: Sequence[Sequence[Hit]],
        recall: Recall | None = None,
        own: OwnReviews | None = None,
    ) -> Evidence:
        """Return the evidence on n tickets: `model` [n, the roles it was trained on], `fired` and `recall` of each.

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
        wide: Floats | None = None
        if model is not None:
            padding = ((0, 0), (0, len(self.roles) - model.shape[1]))
            wide = np.pad(np.asarray(model, dtype=np.float64), padding, constant_values=np.nan)
        return Evidence(self.base, wide, rules, recall, vetoed, self.multi_label)

    def answer(
        self,
        model: NDArray[np.floating] | None,
        fired: Sequence[Sequence[Hit]],
        recall: Recall | None = None,
        own: OwnReviews | None = None,
    ) -> Floats:
        """Return the probability of each of `roles`, float64[n, roles], for n tickets; arguments as for `gather`."""
        return pool(self.gather(model, fired, recall, own), self.weights)

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
