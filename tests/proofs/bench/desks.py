"""Five desks that nobody tuned on: rules, TF-IDF, the frozen encoder, and what the quick lane serves.

    python -m tests.proofs.bench desks [--draws 10] [--corpus endava german10 ...] [--tuned]

Each draw learns from 150 random tickets and is judged on up to 1,000 others. Rules: the project's own on excavators and
San Diego, elsewhere one that never hits. With --tuned a column more: a head on the tuned encoder, which takes minutes a
draw; `served` stays that of the quick lane. Whether a model serves after a first training: `first_training`.
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from agent.fitting import child
from agent.fitting.evaluation import calibration_error, correct
from agent.fitting.head import predict
from agent.fitting.job import Job, Part, Recipe, Sample
from agent.studies.replay import Plan, answer, train
from agent.triage.cutoffs import Abstained, judge
from agent.triage.memory import remember, reviewed_embeddings
from tests.proofs.bench.baselines import frozen, tfidf
from tests.proofs.bench.histories import CACHE, RULES, Corpus, load
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


def tuned(history: Corpus, learnt: int) -> Floats:
    """Tune the encoder on the first tickets, as a night does, and return its head's answers to the others."""
    parts: list[Part] = ["train"] * round(0.7 * learnt) + ["validation"] * round(0.15 * learnt)
    parts += ["head"] * (learnt - len(parts)) + ["other"] * (len(history.examples) - learnt)
    samples = tuple(
        Sample(e.ticket_key, e.text, e.roles, part=part) for e, part in zip(history.examples, parts, strict=True)
    )
    job = Job(samples, history.roles, Recipe(threads=2), CACHE / "encoders")
    result = asyncio.run(child.run(job, CACHE / "fits", limits=child.Limits(3600.0, 4096.0)))
    said = predict(result.head(), result.arrays()["embeddings"][learnt:], multi_label=False)
    result.discard()
    return np.asarray(said, dtype=np.float64)


def draw(corpus: Corpus, seed: int, *, with_tuned: bool = False) -> Drawn:
    """Return the outcome of one draw."""
    history = shuffled(corpus, seed, LEARNT + JUDGED)
    texts, labels, vectors = history.texts, history.labels, history.embeddings
    known, others = np.arange(LEARNT), np.arange(LEARNT, len(texts))
    said, clear = served(history, LEARNT)
    answers = {
        "rules": rules_only(history, known, others),
        "tfidf": tfidf(texts[:LEARNT], labels[known], texts[LEARNT:]),
        "frozen": frozen(vectors[known], labels[known], vectors[others]),
        **({"tuned": tuned(history, LEARNT)} if with_tuned else {}),
        "served": said,
    }
    right = {name: correct(given, labels[others]) for name, given in answers.items()}
    return Drawn(right, said.max(axis=1), clear)


def main(argv: list[str]) -> int:
    """Print a line for each corpus; the last line has the worst and the mean of them."""
    parser = argparse.ArgumentParser(prog="desks", description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--corpus", nargs="+", default=list(CORPORA), choices=CORPORA)
    parser.add_argument("--tuned", action="store_true")
    options = parser.parse_args(argv)
    ahead, precisions, errors = [], [], []
    for name in options.corpus:
        corpus = load(name)
        draws = [draw(corpus, seed, with_tuned=options.tuned) for seed in range(options.draws)]
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
