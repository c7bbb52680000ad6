"""Accuracy and macro-F1 from 105 reviewed tickets: rules, TF-IDF, frozen encoder, tuned SetFit, and the fusion.

    python -m tests.proofs.bench corpora [--draws 10] [--train 105] [--no-tuned]

Each draw learns from 105 random tickets and is judged on up to 2,000 others that are no exact duplicates of them. The
rules were written by reading the first 150 tickets of each corpus. "Fused" pools rules, the frozen encoder and the
memory of the 105; "fused, tuned" pools the tuned encoder instead. Tuned answers are kept under build/bench, by
recipe, so that an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.fitting import child
from agent.fitting.evaluation import Report, evaluate
from agent.fitting.head import out_of_fold, predict
from agent.fitting.job import Job, Recipe, Sample
from agent.learning.baselines import frozen, tfidf
from agent.learning.calibration import fit_fusion
from agent.learning.training_set import group_duplicates
from agent.triage.evidence import OwnReviews
from agent.triage.fusion import Fusion
from agent.triage.memory import ReviewedEmbedding, recall, recall_as_filed, remember
from tests.proofs.bench.histories import CACHE, Corpus, load
from tests.proofs.bench.replay import rules_only

CORPORA = ("excavators", "sandiego")
JUDGED = 2000
FOLDS = 5

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Model:
    """One model's answers: out-of-fold to its training tickets, and to the judged ones; float64[n, roles] each."""

    honest: Floats
    judged: Floats


def draw(history: Corpus, count: int, seed: int) -> tuple[Rows, Rows]:
    """Return the rows of the training and of the judged tickets."""
    order = np.random.default_rng(seed).permutation(len(history.examples))
    train = order[:count]
    known = {history.texts[i] for i in train}
    judged = [i for i in order[count:] if history.texts[i] not in known][:JUDGED]
    return train, np.array(judged)


def frozen_model(history: Corpus, train: Rows, judged: Rows, groups: NDArray[np.int64]) -> Model:
    """Return the answers of the frozen encoder's lane."""
    embeddings, labels = history.embeddings, history.labels[train]
    honest = out_of_fold(embeddings[train], labels, groups, folds=FOLDS)
    return Model(honest.astype(np.float64), frozen(embeddings[train], labels, embeddings[judged]))


def tuned_model(history: Corpus, train: Rows, judged: Rows, groups: NDArray[np.int64], name: str) -> Model:
    """Return the answers of the tuned lane, fitted in a child process as in service, or as kept from an earlier run."""
    recipe = Recipe(cross_fit_folds=FOLDS)
    kept = CACHE / f"corpora-{name}-{hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]}.npz"
    if not kept.exists():
        keys, roles = [e.ticket_key for e in history.examples], [e.roles for e in history.examples]
        samples = [
            Sample(keys[i], history.texts[i], roles[i], group=str(g)) for i, g in zip(train, groups, strict=True)
        ]
        samples += [Sample(keys[i], history.texts[i], roles[i], part="other") for i in judged]
        job = Job(tuple(samples), history.roles, recipe, (CACHE / "encoders").resolve())
        result = asyncio.run(child.run(job, CACHE / "scratch"))
        arrays, count = result.arrays(), len(train)
        answers = predict(result.head(), arrays["embeddings"][count:])
        np.savez(kept, honest=arrays["out_of_fold"][:count], judged=answers)
        result.discard()
    with np.load(kept, allow_pickle=False) as arrays:
        return Model(arrays["honest"].astype(np.float64), arrays["judged"].astype(np.float64))


def fused(history: Corpus, train: Rows, judged: Rows, model: Model) -> Floats:
    """Return the pooled answers to the judged tickets."""
    labels, fired = history.labels[train], [history.fired[i] for i in train]
    examples, embeddings = history.examples, history.embeddings
    memory = remember(
        [ReviewedEmbedding(examples[i].ticket_key, embeddings[i], examples[i].roles) for i in train], history.roles
    )
    reviews = OwnReviews(labels, np.ones(len(labels)))
    counted = Fusion.counted(history.roles, fired, reviews, multi_label=False)
    filed = recall_as_filed(memory, counted, np.arange(len(train)))
    fusion = fit_fusion(counted, model.honest, fired, filed, reviews)
    recalled = recall(memory, embeddings[judged], fusion, shown=0)
    return fusion.answer(model.judged, [history.fired[i] for i in judged], recalled)


def contest(history: Corpus, count: int, seed: int, tuned: bool) -> dict[str, Report]:
    """Return the report of every contender on one draw."""
    train, judged = draw(history, count, seed)
    texts, labels = history.texts, history.labels
    groups = group_duplicates([texts[i] for i in train])
    lane = frozen_model(history, train, judged, groups)
    answers = {
        "rules": rules_only(history, train, judged),
        "tfidf": tfidf([texts[i] for i in train], labels[train], [texts[i] for i in judged]),
        "frozen": lane.judged,
    }
    if tuned:
        body = tuned_model(history, train, judged, groups, f"{history.name}-{count}-{seed}")
        answers |= {"setfit": body.judged, "fused_tuned": fused(history, train, judged, body)}
    answers["fused"] = fused(history, train, judged, lane)
    return {name: evaluate(given, labels[judged], history.roles) for name, given in answers.items()}


def main(argv: list[str]) -> int:
    """Print the table of both corpora."""
    parser = argparse.ArgumentParser(prog="corpora", description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--train", type=int, default=105)
    parser.add_argument("--no-tuned", action="store_true", help="leave the tuned encoder out: minutes instead of hours")
    parser.add_argument("--corpus", nargs="+", default=list(CORPORA), choices=CORPORA)
    options = parser.parse_args(argv)
    last = []
    for name in options.corpus:
        history = load(name)
        reports: dict[str, list[Report]] = {}
        for seed in range(options.draws):
            for contender, report in contest(history, options.train, seed, not options.no_tuned).items():
                reports.setdefault(contender, []).append(report)
            print(f"{name}: draw {seed + 1} of {options.draws}", flush=True)
        for contender, found in reports.items():
            accuracy, f1 = [r.accuracy for r in found], [r.macro_f1 for r in found]
            print(
                f"  {contender:12} accuracy {np.mean(accuracy):.1%} ± {np.std(accuracy):.1%}   "
                f"macro-F1 {np.mean(f1):.1%} ± {np.std(f1):.1%}   ECE {np.mean([r.ece for r in found]):.3f}"
            )
            last.append(f"{name}_{contender}_acc={np.mean(accuracy):.3f} {name}_{contender}_f1={np.mean(f1):.3f}")
    print(" ".join(last))
    return 0
