"""Five desks that nobody tuned on: rules, TF-IDF, the frozen encoder, and what the quick lane serves.

    python -m tests.proofs.bench desks [--draws 10] [--corpus endava german10 ...]

Each draw learns from 150 random tickets and is judged on up to 1,000 others. Rules: the project's own on excavators and
San Diego, elsewhere one that never hits. The tuned lane is left out: it takes minutes a draw.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from agent.fitting.evaluation import calibration_error, correct
from agent.studies.replay import Plan, answer, train
from agent.triage.cutoffs import Abstained, judge
from agent.triage.memory import remember, reviewed_embeddings
from tests.proofs.bench.baselines import frozen, tfidf
from tests.proofs.bench.histories import RULES, Corpus, load
from tests.proofs.bench.replay import rules_only

CORPORA = ("excavators", "sandiego", "endava", "german10", "german42")
LEARNT, JUDGED = 150, 1000
FEWEST_CLEAR = 100
"""Fewer clear suggestions are no basis for a precision."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One draw: which answers were right, by column; confidence of the served ones, and which were clear; [n] each."""

    right: dict[str, Floats]
    confidence: Floats
    clear: NDArray[np.bool_]


def rows(history: Corpus, kept: NDArray[np.intp]) -> Corpus:
    """Return some tickets of a corpus."""
    return replace(
        history,
        examples=[history.examples[i] for i in kept],
        labels=history.labels[kept],
        embeddings=history.embeddings[kept],
        fired=[history.fired[i] for i in kept],
    )


def shuffled(history: Corpus, seed: int, count: int) -> Corpus:
    """Return `count` tickets of a corpus in random order."""
    return rows(history, np.random.default_rng(seed).permutation(len(history.examples))[:count])


def served(history: Corpus, learnt: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Train on the first tickets and return the answers to the others, and which of them are clear suggestions."""
    known = remember(reviewed_embeddings(history.examples, history.embeddings, {}), history.roles).first(learnt)
    trained = train(history, known, learnt, Plan(LEARNT, timedelta()))
    said = answer(history, trained, known, np.arange(learnt, len(history.examples)))
    verdicts = [judge(row, history.roles, trained.weighed.cutoffs) for row in said]
    return said, np.array([not isinstance(one, Abstained) and one.clear for one in verdicts])


def draw(corpus: Corpus, seed: int) -> Drawn:
    """Return the outcome of one draw."""
    history = shuffled(corpus, seed, LEARNT + JUDGED)
    texts, labels, vectors = history.texts, history.labels, history.embeddings
    known, others = np.arange(LEARNT), np.arange(LEARNT, len(texts))
    said, clear = served(history, LEARNT)
    answers = {
        "rules": rules_only(history, known, others),
        "tfidf": tfidf(texts[:LEARNT], labels[known], texts[LEARNT:]),
        "frozen": frozen(vectors[known], labels[known], vectors[others]),
        "served": said,
    }
    right = {name: correct(given, labels[others]) for name, given in answers.items()}
    return Drawn(right, said.max(axis=1), clear)


def main(argv: list[str]) -> int:
    """Print a line for each corpus; the last line has the worst and the mean of them."""
    parser = argparse.ArgumentParser(prog="desks", description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--corpus", nargs="+", default=list(CORPORA), choices=CORPORA)
    options = parser.parse_args(argv)
    ahead, precisions, errors = [], [], []
    for name in options.corpus:
        corpus = load(name)
        draws = [draw(corpus, seed) for seed in range(options.draws)]
        means = {column: float(np.mean([d.right[column].mean() for d in draws])) for column in draws[0].right}
        right, confidence = (
            np.concatenate(parts) for parts in zip(*((d.right["served"], d.confidence) for d in draws), strict=True)
        )
        clear = np.concatenate([d.clear for d in draws])
        ahead.append(means["served"] - max(value for column, value in means.items() if column != "served"))
        errors.append(calibration_error(confidence, right))
        if clear.sum() >= FEWEST_CLEAR:
            precisions.append(float(right[clear].mean()))
        shown = " ".join(f"{column} {value:.1%}" for column, value in means.items())
        precision = f"{right[clear].mean():.3f}" if clear.any() else "-"
        rules = "own rules" if name in RULES else "no rules"
        print(f"{name} ({rules}): {shown} ECE {errors[-1]:.3f} clear {clear.mean():.1%}, right {precision}", flush=True)
    print(
        f"served_minus_best_min={min(ahead):.3f} served_minus_best_mean={np.mean(ahead):.3f} "
        f"precision_min={min(precisions, default=float('nan')):.3f} ece_max={max(errors):.3f}"
    )
    return 0
