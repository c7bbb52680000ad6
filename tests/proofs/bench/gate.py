"""Simulate the gate: how often is an equal, a 5 points worse and a 5 points better challenger promoted?

    python -m tests.proofs.bench gate [--nights 1000] [--discordance 0.15]

Every night a challenger is judged on 150 cross-fit answers and on other reviewed tickets, which grow by 10 a night to
450, and start anew with each of the series of 50 nights. The champion is right on 80 %; on the
stated share of tickets exactly one of the two is right. Both are calibrated: a confidence is drawn per ticket, in large
part shared by the two, and its log-loss follows.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from agent.domain import TrainingOutcome
from agent.learning.promotion import Comparison, Grades, decide

CROSS_FIT = 150
REVIEWS_A_NIGHT = 10
OTHERS = 450
SERIES = 50
ACCURACY = 0.80
CASES = {"equal": 0.0, "worse5": -0.05, "better5": 0.05}


def tickets(random: np.random.Generator, count: int, difference: float, discordance: float) -> tuple[Grades, Grades]:
    """Return the answers of challenger and champion to `count` tickets."""
    only_champion, only_challenger = (discordance - difference) / 2, (discordance + difference) / 2
    both = ACCURACY - only_champion
    shares = [both, only_champion, only_challenger, 1.0 - both - discordance]
    kind = random.choice(4, count, p=shares)
    shared = random.normal(size=count)
    right = [np.isin(kind, (0, 2)).astype(float), np.isin(kind, (0, 1)).astype(float)]
    return Grades(right[0], _loss(random, right[0], shared)), Grades(right[1], _loss(random, right[1], shared))


def _loss(random: np.random.Generator, right: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Return a plausible log-loss: sure when right more often than when wrong, much alike for the two models."""
    logit = np.where(right > 0, 1.8, -0.9) + 0.8 * shared + 0.5 * random.normal(size=len(right))
    return np.logaddexp(0.0, -logit)


def joined(first: Grades, second: Grades) -> Grades:
    """Return the answers of one model to two sets of tickets."""
    return Grades(np.concatenate([first.right, second.right]), np.concatenate([first.loss, second.loss]))


def simulate(difference: float, nights: int, discordance: float, seed: int) -> Counter[TrainingOutcome]:
    """Return how often each outcome came out."""
    outcomes: Counter[TrainingOutcome] = Counter()
    for night in range(nights):
        random = np.random.default_rng([seed, night])
        pool = np.random.default_rng([seed, 10_000 + night // SERIES])
        grown = min(REVIEWS_A_NIGHT * (night % SERIES), OTHERS)
        challenger, champion = tickets(random, CROSS_FIT, difference, discordance)
        shadow, serving = tickets(pool, OTHERS, difference, discordance)
        shadow, serving = (Grades(a.right[:grown], a.loss[:grown]) for a in (shadow, serving))
        judged = joined(challenger, shadow)
        rules = Grades(np.zeros_like(judged.right), judged.loss)  # that never hit
        outcomes[decide(Comparison(judged, rules, joined(champion, serving))).outcome] += 1
    return outcomes


def main(argv: list[str]) -> int:
    """Simulate all cases and print promotion rates."""
    parser = argparse.ArgumentParser(prog="gate", description=__doc__.partition("\n")[0])
    parser.add_argument("--nights", type=int, default=1000)
    parser.add_argument("--discordance", type=float, nargs="+", default=[0.10, 0.15, 0.20])
    options = parser.parse_args(argv)
    rates: dict[str, list[float]] = {name: [] for name in CASES}
    for discordance in options.discordance:
        for seed, (name, difference) in enumerate(CASES.items()):
            outcomes = simulate(difference, options.nights, discordance, seed)
            rates[name].append(outcomes[TrainingOutcome.PROMOTED] / options.nights)
            detail = ", ".join(f"{outcome.value} {outcomes[outcome] / options.nights:.1%}" for outcome in outcomes)
            print(f"discordance {discordance:.0%}, {name}: {detail}", flush=True)
    print(" ".join(f"promoted_{name}={np.mean(values):.3f}" for name, values in rates.items()))
    return 0
