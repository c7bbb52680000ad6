"""Fit how much the model, the rules and the memory count, so that the pooled probabilities can be believed.

Fitted on out-of-fold answers to *all* reviewed tickets of the window (a handful of test tickets decides nothing), by
maximum likelihood with a Gaussian prior around weights that are sane without any data: five scalars, shrunk, because
richer calibrators overfit far below 1,000 tickets.

    fusion = fit_fusion(roles, labels, model=out_of_fold, fired=fired, memory=recalled.evidence, trust=trust)
    artefact_arrays |= fusion.to_arrays()

`model` must be out-of-fold and `memory` recalled with the ticket itself hidden; the rules' records are left-one-out
here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.fitting.evaluation import losses
from agent.triage.fusion import Fusion, Voices, Weights, base_rates, pool
from agent.triage.rule_evidence import Floats, RuleHistory, rule_evidence
from heuristics.rules import Hit

PRIOR = Weights()
SPREAD = (0.5, 0.3, 0.3, 0.3, 0.5)  # standard deviations of the prior: log temperature, base, rules, memory, lessons
BOUNDS = ((-1.5, 1.5), (0.0, 1.0), (0.0, 2.0), (0.0, 2.0), (0.0, 1.5))
PRIOR_STRENGTHS = (1.0, 2.0, 4.0, 8.0, 16.0)


def fit_weights(
    voices: Voices, labels: Floats, trust: Floats, *, prior: Weights = PRIOR, multi_label: bool = False
) -> tuple[Weights, float]:
    """Return the most plausible weights and their penalised loss (nats, summed over n tickets).

    `labels`: 0/1, [n, roles]; `trust`: [n], how much each review counts. Vetoes take no part.
    """
    from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships no types, and replicas lack it

    heard = replace(voices, vetoed=None)
    start = np.array([np.log(prior.temperature), prior.base, prior.rules, prior.memory, prior.lessons])

    def weights_of(theta: NDArray[np.float64]) -> Weights:
        base, rules, memory, lessons = (float(value) for value in theta[1:])
        return Weights(float(np.exp(theta[0])), base, rules, memory, lessons, prior.prior_strength)

    def penalised(theta: NDArray[np.float64]) -> float:
        loss = losses(pool(heard, weights_of(theta), multi_label=multi_label), labels, multi_label=multi_label)
        return float(loss @ trust + 0.5 * np.sum(((theta - start) / np.array(SPREAD)) ** 2))

    found = minimize(penalised, start, method="L-BFGS-B", bounds=BOUNDS)
    return weights_of(found.x), float(found.fun)


def fit_fusion(
    roles: Sequence[str],
    labels: Floats,
    *,
    model: NDArray[np.floating] | None,
    fired: Sequence[Sequence[Hit]],
    memory: Floats | None = None,
    corrections: Floats | None = None,
    lessons: Floats | None = None,
    trust: Floats | None = None,
    history: RuleHistory | None = None,
    multi_label: bool = False,
) -> Fusion:
    """Return the pool fitted on n reviewed tickets.

    `labels`: 0/1, [n, roles]; `model`: out-of-fold probabilities, [n, roles], NaN for roles a fold has not seen;
    `fired`: the rules that matched each ticket; `memory`, `corrections`, `lessons`: what `recall_as_filed` gives, from
    older reviews only; `trust`: [n]; `history`: the rules' records, if counted over more tickets than these n.
    """
    if not len(labels):
        return Fusion.untrained(roles, multi_label=multi_label)
    trust = np.ones(len(labels)) if trust is None else trust
    base = base_rates(labels, trust)
    record = RuleHistory.of(fired, labels, trust) if history is None else history
    answers = None if model is None else np.asarray(model, dtype=np.float64)

    def attempt(strength: float) -> tuple[Weights, float]:
        rules, _ = rule_evidence(
            fired,
            roles,
            base,
            record,
            prior_strength=strength,
            multi_label=multi_label,
            own_labels=labels,
            own_trust=trust,
        )
        voices = Voices(base, answers, rules, memory, corrections, lessons)
        return fit_weights(
            voices, labels, trust, prior=replace(PRIOR, prior_strength=strength), multi_label=multi_label
        )

    strengths = PRIOR_STRENGTHS if any(fired) else (PRIOR.prior_strength,)
    weights, _ = min((attempt(strength) for strength in strengths), key=lambda pair: pair[1])
    return Fusion(tuple(roles), base, weights, record, multi_label)


def honest_probabilities(
    fusion: Fusion,
    labels: Floats,
    *,
    model: NDArray[np.floating] | None,
    fired: Sequence[Sequence[Hit]],
    memory: Floats | None = None,
    corrections: Floats | None = None,
    lessons: Floats | None = None,
    trust: Floats | None = None,
) -> Floats:
    """Return the pool's answers to the tickets it was fitted on, float64[n, roles], as if it had not seen them.

    Arguments as for `fit_fusion`; the rules' records leave each ticket's own label out. For cut-offs, gate, cleaning.
    """
    voices = fusion.voices(model, fired, memory, corrections, lessons)
    rules, _ = rule_evidence(
        fired,
        fusion.roles,
        fusion.base,
        fusion.history,
        prior_strength=fusion.weights.prior_strength,
        multi_label=fusion.multi_label,
        own_labels=labels,
        own_trust=trust,
    )
    return pool(replace(voices, rules=rules), fusion.weights, multi_label=fusion.multi_label)
