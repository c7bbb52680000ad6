"""Decide whether a challenger may replace the champion, from paired outcomes and their uncertainty.

Both answer the same reviewed tickets, the latest ones of agent.learning.contest, each as if it had not seen their
reviews: out-of-fold where it was trained on a ticket, plainly where it was not. A handful of test tickets would promote
a model that is 5 points worse on a third of nights.

    decision = decide(Comparison(challenger, rules, champion), Terms())
    decision.outcome, decision.reason, decision.numbers     # all of it goes to the ledger

Promotion needs non-inferiority only, since a newer model follows drift: the probability that the challenger is worse by
more than the margin is at most `risk`, in accuracy (Dirichlet model of the paired outcomes) and in log-loss (paired
bootstrap). "Better than before" is never claimed. That the exported model answers as the trained one does is checked
before, by the training process.

No model serves that is more than the margin below the rules alone, which are all that a model replaces where nothing
serves yet. Below them at all, because rules look better than they are on tickets that their author has read, and it is
not known which these are. So one ticket more or less decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.domain import TrainingOutcome

Floats = NDArray[np.float64]

DRAWS = 10_000  # from the posterior of the accuracy difference: its Monte-Carlo error is below 0.3 points
RESAMPLES = 1_000  # of the log-loss difference
PRIOR = (0.5, 0.5, 1.0)  # imagined tickets: only the challenger right, only the champion right, both alike


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a contest: margins in shares of tickets and in nats, the accepted risk, the fewest tickets.

    Where nothing serves yet there is no contest, and the rules alone decide, on however few tickets.
    """

    accuracy_margin: float = 0.03
    loss_margin: float = 0.05
    risk: float = 0.10
    fewest: int = 60


@dataclass(frozen=True, slots=True, eq=False)
class Grades:
    """How one model's honest answers to the contest's n tickets did: right (0/1), log-loss in nats; float64[n] each."""

    right: Floats
    loss: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Everything that a promotion depends on; all grades are of answers to the same tickets, in the same order.

    `rules`: the rules alone, over the base rates. `champion` is None where nothing serves yet. `best_ever`: the best
    version that ever served, so that many small losses are noticed as one large loss.
    """

    challenger: Grades
    rules: Grades
    champion: Grades | None = None
    best_ever: Grades | None = None
    roles_added: tuple[str, ...] = ()
    roles_removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromotionDecision:
    """The outcome, its reason in words, and its numbers."""

    outcome: TrainingOutcome
    reason: str
    numbers: Mapping[str, float]


def decide(comparison: Comparison, terms: Terms | None = None) -> PromotionDecision:
    """Return the decision: first the rules, then decay, then the contest with the champion, then a person's consent."""
    terms = terms or Terms()
    challenger = comparison.challenger
    count = len(challenger.right)
    numbers: dict[str, float] = {"tickets": float(count)}
    if count < terms.fewest and comparison.champion is not None:
        reason = f"{count} tickets were judged, {terms.fewest} are needed"
        return PromotionDecision(TrainingOutcome.UNDECIDED, reason, numbers)
    numbers["accuracy"], numbers["log_loss"] = float(challenger.right.mean()), float(challenger.loss.mean())
    numbers["accuracy_rules"] = float(comparison.rules.right.mean())
    if numbers["accuracy"] < numbers["accuracy_rules"] - terms.accuracy_margin:
        figures = _figures(numbers, "the rules", numbers["accuracy_rules"])
        return PromotionDecision(TrainingOutcome.KEPT, f"nothing beats the rules alone: the best is {figures}", numbers)
    if comparison.best_ever is not None:
        numbers["p_decay"] = probability_worse(challenger.right, comparison.best_ever.right, terms.accuracy_margin)
        if numbers["p_decay"] > 0.5:
            reason = (
                f"slow decay: probably more than {terms.accuracy_margin:.0%} below the best version that ever served"
            )
            return PromotionDecision(TrainingOutcome.KEPT, reason, numbers)
    contest = _contest(challenger, comparison.champion, terms, numbers)
    if contest.outcome is not TrainingOutcome.KEPT and (comparison.roles_added or comparison.roles_removed):
        changes = [f"+{role}" for role in comparison.roles_added] + [f"-{role}" for role in comparison.roles_removed]
        return PromotionDecision(
            TrainingOutcome.ASKS, f"the roles changed ({', '.join(changes)}): a person decides", contest.numbers
        )
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


def _contest(challenger: Grades, champion: Grades | None, terms: Terms, numbers: dict[str, float]) -> PromotionDecision:
    if champion is None:
        reason = "nothing serves yet, and it is not worse than the rules alone"
        return PromotionDecision(TrainingOutcome.PROMOTED, reason, numbers)
    worse = probability_worse(challenger.right, champion.right, terms.accuracy_margin)
    costlier = probability_loss_worse(challenger.loss, champion.loss, terms.loss_margin)
    numbers |= {
        "accuracy_champion": float(champion.right.mean()),
        "log_loss_champion": float(champion.loss.mean()),
        "p_worse": worse,
        "p_loss_worse": costlier,
    }
    if max(worse, costlier) <= terms.risk:
        outcome, judged = TrainingOutcome.PROMOTED, "not worse"
    elif worse > 0.5:
        outcome, judged = TrainingOutcome.KEPT, "probably worse"
    elif costlier > 0.5:
        outcome, judged = TrainingOutcome.KEPT, "probably less honest about how sure it is"
    else:
        outcome, judged = TrainingOutcome.UNDECIDED, "it may be worse, too few tickets tell"
    figures = _figures(numbers, "what serves", numbers["accuracy_champion"])
    return PromotionDecision(outcome, f"{judged}: {figures}", numbers)


def _figures(numbers: Mapping[str, float], other: str, accuracy: float) -> str:
    return f"right on {numbers['accuracy']:.1%} of {numbers['tickets']:.0f} tickets, {other} on {accuracy:.1%}"
