"""Pool what the model, the rules and the memory say about a ticket into one calibrated probability per role.

A logarithmic opinion pool (Heskes, "Selecting weighting factors in logarithmic opinion pools", NeurIPS 1997):

    log p(role) = log p_model(role) / T + b log base(role) + w rules(role) + m memory(role) + l lessons(role) + c

The base rates are there for heads that are trained with balanced classes and so have lost them. Rules and memory speak
as evidence: how far they move a role from its base rate, 0 where they say nothing. Any voice may be missing: without a
model the base rates take its place. For a multi-label desk each role is judged by itself, with log-odds in place of
logarithms. What people said of the very same text is no evidence but a correction, and applied last.

    fusion = Fusion.from_arrays(model_roles, artefact_arrays)   # or Fusion.untrained(roles)
    fusion = fusion.for_roles(catalogue_roles)                  # roles newer than the model take part at once
    recalled = recall(memory, embeddings, fusion.base)          # agent.triage.memory
    answer = fusion.probabilities(model, fired, recalled.evidence, recalled.corrections, recalled.lessons)

agent.learning.calibration fits the weights; `to_arrays` is what the artefact keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from agent.triage.rule_evidence import PRIOR_STRENGTH, Flags, Floats, RuleHistory, rule_evidence
from heuristics.rules import Hit

SMALLEST_PROBABILITY = 1e-6  # a float32 softmax rounds to 0 not far below; its logarithm must stay finite
OUT_OF_THE_RACE = -30.0  # a role that the model has never seen and that no other voice names
WEIGHTS_ARRAY, BASE_ARRAY, MULTI_LABEL_ARRAY = "fusion.weights", "fusion.base", "fusion.multi_label"


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each voice counts. The defaults serve until there are reviewed tickets to fit them on."""

    temperature: float = 1.0
    base: float = 0.0
    rules: float = 0.7
    memory: float = 0.5
    lessons: float = 1.0
    prior_strength: float = PRIOR_STRENGTH


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """What is known about n tickets. `base`: share of each role, [roles]; all others [n, roles], None for silence.

    `model` holds probabilities, NaN in the columns of roles that the model has never seen.
    """

    base: Floats
    model: Floats | None = None
    rules: Floats | None = None
    memory: Floats | None = None
    corrections: Floats | None = None
    lessons: Floats | None = None
    vetoed: Flags | None = None

    def __len__(self) -> int:
        """Return the number of tickets."""
        return next((len(v) for v in (self.model, self.rules, self.memory) if v is not None), 1)


def base_rates(labels: Floats, trust: Floats | None = None) -> Floats:
    """Return the share of each role among reviewed tickets (labels 0/1, [n, roles]), smoothed by one ticket a role."""
    weights = np.ones(len(labels)) if trust is None else trust
    rates: Floats = (weights @ labels + 1.0) / (weights.sum() + labels.shape[1])
    return rates


def pool(voices: Voices, weights: Weights, *, multi_label: bool = False) -> Floats:
    """Return the probability of each role, float64[n, roles]: rows sum to 1, unless multi-label or all is vetoed.

    A role that the model has never seen starts level with the average role as soon as a rule or a reviewed neighbour
    speaks for it, and is out of the race otherwise: its mere existence must not dilute what is known of the others.
    """
    shape = (len(voices), len(voices.base))
    evidence = np.zeros(shape)
    if voices.rules is not None:
        evidence += weights.rules * voices.rules
    if voices.memory is not None:
        evidence += weights.memory * voices.memory
    if voices.lessons is not None:
        evidence += weights.lessons * voices.lessons
    scores = _start(voices, weights, evidence, multi_label) + evidence
    odds = np.exp(scores - (0.0 if multi_label else scores.max(axis=1, keepdims=True)))
    answer: Floats = odds / (1.0 + odds if multi_label else odds.sum(axis=1, keepdims=True))
    if voices.corrections is not None:
        answer = _corrected(answer, voices.corrections, multi_label)
    if voices.vetoed is None:
        return answer
    kept: Floats = np.where(voices.vetoed, 0.0, answer)
    total = np.where(kept.any(axis=1, keepdims=True), kept.sum(axis=1, keepdims=True), 1.0)
    return kept if multi_label else kept / total


def _corrected(answer: Floats, corrections: Floats, multi_label: bool) -> Floats:
    """Return the answers after corrections of the very same texts: old roles held back, new ones put forward."""
    kept = answer * (1.0 - np.clip(-corrections, 0.0, 1.0))
    forward = np.clip(corrections, 0.0, 1.0)
    if multi_label:
        return kept + forward * (1.0 - kept)
    forward = forward / np.maximum(forward.sum(axis=1, keepdims=True), 1.0)
    rest = 1.0 - forward.sum(axis=1, keepdims=True)
    total = kept.sum(axis=1, keepdims=True)
    mixed: Floats = kept / np.where(total > 0, total, 1.0) * rest + forward
    return mixed


def _start(voices: Voices, weights: Weights, evidence: Floats, multi_label: bool) -> Floats:
    """Return the scores before any evidence: the model's where it has an opinion, else the base rates."""
    base = np.log(voices.base) - (np.log1p(-voices.base) if multi_label else 0.0)
    if voices.model is None:
        return np.broadcast_to(base, evidence.shape)
    known = ~np.isnan(voices.model)
    likely = np.clip(np.where(known, voices.model, 0.5), SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY)
    scores = (np.log(likely) - (np.log1p(-likely) if multi_label else 0.0)) / weights.temperature + weights.base * base
    newcomer = np.where(evidence > 0, -np.log(evidence.shape[1]), OUT_OF_THE_RACE)
    return np.where(known, scores, newcomer)


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """The fitted pool of one model: its roles, their base rates [roles], the weights and the rules' records."""

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

    def for_roles(self, roles: Sequence[str]) -> Fusion:
        """Return this pool for the roles it was fitted on and, after them, those of `roles` that are newer."""
        newer = tuple(role for role in roles if role not in self.roles)
        if not newer:
            return self
        base = np.append(self.base, np.full(len(newer), self.base.min() if len(self.base) else 0.5))
        return replace(self, roles=self.roles + newer, base=base if self.multi_label else base / base.sum())

    def voices(
        self,
        model: NDArray[np.floating] | None,
        fired: Sequence[Sequence[Hit]],
        memory: Floats | None = None,
        corrections: Floats | None = None,
        lessons: Floats | None = None,
    ) -> Voices:
        """Bring what was said about n tickets into the shape of `pool`. `model`: [n, the roles it was trained on]."""
        rules, vetoed = rule_evidence(
            fired,
            self.roles,
            self.base,
            self.history,
            prior_strength=self.weights.prior_strength,
            multi_label=self.multi_label,
        )
        wide: Floats | None = None
        if model is not None:
            padding = ((0, 0), (0, len(self.roles) - model.shape[1]))
            wide = np.pad(np.asarray(model, dtype=np.float64), padding, constant_values=np.nan)
        return Voices(self.base, wide, rules, memory, corrections, lessons, vetoed)

    def probabilities(
        self,
        model: NDArray[np.floating] | None,
        fired: Sequence[Sequence[Hit]],
        memory: Floats | None = None,
        corrections: Floats | None = None,
        lessons: Floats | None = None,
    ) -> Floats:
        """Return the pooled probability of each of `roles`, float64[n, roles], for the n tickets of `fired`."""
        return pool(self.voices(model, fired, memory, corrections, lessons), self.weights, multi_label=self.multi_label)

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
