"""Decide whether a challenger may replace the champion, on paired evidence, with the uncertainty it has.

Evidence: answers of both models to the same tickets, none of which either had learnt from: the cross-fit answers of
the night, pooled with the prequential reservoir (tickets that both scored before their review came in). A handful of
test tickets would promote a model that is 5 points worse on a third of nights. A ticket counts once: by its prequential
answers where both models have one, else by its cross-fit answers.

    ruling = rule(Evidence(challenger, champion, floors={"majority": ..., "tf-idf": ...}), Terms())
    ruling.outcome, ruling.reason, ruling.numbers       # all of it goes to the ledger

Promotion needs non-inferiority, for refreshing keeps up with drift: the probability that the challenger is worse by
more than the margin is at most `risk`, in accuracy (Dirichlet model of the paired outcomes) and in log-loss (paired
bootstrap). "Better than before" is never claimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 10_000  # from the posterior of the accuracy difference: its Monte-Carlo error is below 0.3 points
RESAMPLES = 1_000  # of the log-loss difference
PRIOR = (0.5, 0.5, 1.0)  # imagined tickets: only the challenger right, only the champion right, both alike


class Outcome(StrEnum):
    """What the gate says. Keeping the champion for want of evidence is a normal night, not a failure."""

    PROMOTE = "promote"
    KEEP = "keep"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a contest: margins in shares of tickets and in nats, the accepted risk, the fewest tickets.

    Where nothing serves yet there is no contest, and the floors alone decide, on however few tickets.
    """

    accuracy_margin: float = 0.03
    loss_margin: float = 0.05
    risk: float = 0.10
    fewest: int = 60


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """One model's honest answers to the contest's n tickets: right (0/1) and log-loss in nats, both float64[n]."""

    right: Floats
    loss: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Everything the gate looks at; all answers are to the same tickets, in the same order.

    `champion` is None where nothing serves yet. `floors`: what a model must beat to be worth its trouble (majority,
    frozen encoder, TF-IDF). `flattered_floors` likewise, but within the margin: rules look better than they are on
    tickets that their author has read, and nobody knows which these are. `best_ever`: the best version that ever
    served, so that many small steps down are seen as the fall they are. `export_disagreements`: texts on which the
    exported model names another role.
    """

    challenger: Answers
    champion: Answers | None = None
    floors: Mapping[str, Answers] = field(default_factory=dict)
    flattered_floors: Mapping[str, Answers] = field(default_factory=dict)
    best_ever: Answers | None = None
    export_disagreements: int = 0
    roles_added: tuple[str, ...] = ()
    roles_removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was decided, why in words, and the numbers behind it."""

    outcome: Outcome
    reason: str
    numbers: Mapping[str, float]


def rule(evidence: Evidence, terms: Terms | None = None) -> Ruling:
    """Return the ruling: faults first, then floors, then the human's part, then the contest with the champion."""
    terms = terms or Terms()
    challenger = evidence.challenger
    count = len(challenger.right)
    numbers: dict[str, float] = {"tickets": float(count), "export_disagreements": float(evidence.export_disagreements)}
    if evidence.export_disagreements:
        texts = evidence.export_disagreements
        return Ruling(Outcome.KEEP, f"the exported model names another role for {texts} text(s)", numbers)
    if count < terms.fewest and evidence.champion is not None:
        reason = f"{count} tickets were judged, {terms.fewest} are needed"
        return Ruling(Outcome.NOT_ENOUGH_EVIDENCE, reason, numbers)
    numbers["accuracy"], numbers["log_loss"] = float(challenger.right.mean()), float(challenger.loss.mean())
    floors = [(name, floor, 0.0) for name, floor in evidence.floors.items()]
    floors += [(name, floor, terms.accuracy_margin) for name, floor in evidence.flattered_floors.items()]
    for name, floor, margin in floors:
        numbers[f"accuracy_{name}"] = float(floor.right.mean())
        if numbers["accuracy"] < numbers[f"accuracy_{name}"] - margin:
            figures = f"right on {numbers['accuracy']:.1%} against {numbers[f'accuracy_{name}']:.1%}"
            return Ruling(Outcome.KEEP, f"it does not beat {name}: {figures}", numbers)
    if evidence.best_ever is not None:
        numbers["p_decay"] = probability_worse(challenger.right, evidence.best_ever.right, terms.accuracy_margin)
        if numbers["p_decay"] > 0.5:
            reason = (
                f"slow decay: probably more than {terms.accuracy_margin:.0%} below the best version that ever served"
            )
            return Ruling(Outcome.KEEP, reason, numbers)
    contest = _contest(challenger, evidence.champion, terms, numbers)
    if contest.outcome is not Outcome.KEEP and (evidence.roles_added or evidence.roles_removed):
        changes = [f"+{role}" for role in evidence.roles_added] + [f"-{role}" for role in evidence.roles_removed]
        return Ruling(Outcome.ASK, f"the roles changed ({', '.join(changes)}): a person decides", contest.numbers)
    return contest


def probability_worse(challenger: Floats, champion: Floats, margin: float) -> float:
    """Return P(the challenger's accuracy is more than `margin` below the champion's), from paired 0/1 outcomes [n].

    Only tickets on which exactly one is right tell them apart; their shares have a Dirichlet posterior.
    """
    gained, lost = float(np.sum(challenger > champion)), float(np.sum(challenger < champion))
    counts = np.array([gained, lost, len(challenger) - gained - lost]) + PRIOR
    shares = np.random.default_rng(0).dirichlet(counts, DRAWS)
    return float(np.mean(shares[:, 0] - shares[:, 1] < -margin))


def probability_loss_worse(challenger: Floats, champion: Floats, margin: float) -> float:
    """Return P(the challenger's mean log-loss is more than `margin` nats above the champion's): paired bootstrap."""
    difference = challenger - champion
    rows = np.random.default_rng(0).integers(0, len(difference), (RESAMPLES, len(difference)))
    return float(np.mean(difference[rows].mean(axis=1) > margin))


def _contest(challenger: Answers, champion: Answers | None, terms: Terms, numbers: dict[str, float]) -> Ruling:
    if champion is None:
        return Ruling(Outcome.PROMOTE, "nothing serves yet, and it beats every floor", numbers)
    worse = probability_worse(challenger.right, champion.right, terms.accuracy_margin)
    costlier = probability_loss_worse(challenger.loss, champion.loss, terms.loss_margin)
    numbers |= {
        "accuracy_champion": float(champion.right.mean()),
        "log_loss_champion": float(champion.loss.mean()),
        "p_worse": worse,
        "p_loss_worse": costlier,
    }
    margin, nats = f"{terms.accuracy_margin * 100:g} points", f"{terms.loss_margin:g} nats"
    if max(worse, costlier) <= terms.risk:
        reason = f"not worse: P(accuracy down > {margin}) = {worse:.2f}, P(log-loss up > {nats}) = {costlier:.2f}"
        return Ruling(Outcome.PROMOTE, reason, numbers)
    if worse > 0.5:
        return Ruling(Outcome.KEEP, f"probably worse: P(accuracy down > {margin}) = {worse:.2f}", numbers)
    if costlier > 0.5:
        return Ruling(Outcome.KEEP, f"probably less honest: P(log-loss up > {nats}) = {costlier:.2f}", numbers)
    reason = f"it may be worse: P(accuracy down > {margin}) = {worse:.2f}, P(log-loss up > {nats}) = {costlier:.2f}"
    return Ruling(Outcome.NOT_ENOUGH_EVIDENCE, reason, numbers)
