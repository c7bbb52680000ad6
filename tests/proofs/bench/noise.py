"""Flip 10 % of the labels of each corpus; how many of the flipped are among the 15 % that cleaning lists?

    python -m tests.proofs.bench noise [--seeds 3]

Ours: cleanlab's label quality on honest fused probabilities (frozen encoder, rules, memory of all other tickets).
Beside it in the same run: cleanlab as it comes, on cross-fitted TF-IDF probabilities.
"""

from __future__ import annotations

import argparse

import numpy as np
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray

from agent.learning.training_set import group_duplicates
from agent.learning.weighing import fit_fusion
from agent.studies.cleaning import SHARE, suspicious
from agent.triage.evidence import Heads, OwnReviews
from agent.triage.fusion import Fusion
from agent.triage.memory import ReviewedEmbedding, recall, remember
from tests.proofs.bench.baselines import cross_fitted, frozen, tfidf
from tests.proofs.bench.histories import Corpus, load

FLIPPED = 0.10
CORPORA = ("excavators", "sandiego", "endava")

Floats = NDArray[np.float64]


def flip(labels: Floats, seed: int) -> tuple[Floats, NDArray[np.intp]]:
    """Return the labels with a tenth replaced by another role, and which tickets these are."""
    random = np.random.default_rng(seed)
    count, roles = labels.shape
    flipped = random.choice(count, int(FLIPPED * count), replace=False)
    given = labels.argmax(axis=1)
    given[flipped] = (given[flipped] + random.integers(1, roles, len(flipped))) % roles
    return np.eye(roles)[given], flipped


def ours(history: Corpus, labels: Floats) -> list[int]:
    """Return the tickets that cleaning lists."""
    embeddings, count = history.embeddings, len(labels)
    model = cross_fitted(lambda t, j: frozen(embeddings[t], labels[t], embeddings[j]), labels, np.arange(count))
    names = [tuple(np.array(history.roles)[row > 0]) for row in labels]
    reviewed = [ReviewedEmbedding(str(i), embeddings[i], names[i]) for i in range(count)]
    reviews = OwnReviews(labels, np.ones(len(labels)))
    counted = Fusion.counted(history.roles, history.fired, reviews, multi_label=False)
    others = recall(remember(reviewed, history.roles), embeddings, counted, hidden=np.eye(count, dtype=bool), shown=0)
    fusion = fit_fusion(counted, Heads(model), history.fired, others, reviews)
    honest = fusion.answer(Heads(model), history.fired, others, reviews)
    return [one.index for one in suspicious(honest, labels, history.roles, group_duplicates(history.texts))]


def out_of_the_box(history: Corpus, labels: Floats) -> list[int]:
    """Return the tickets of lowest label quality by cleanlab's default score on TF-IDF probabilities."""
    texts, count = history.texts, len(labels)
    probabilities = cross_fitted(
        lambda t, j: tfidf([texts[i] for i in t], labels[t], [texts[i] for i in j]), labels, np.arange(count)
    )
    quality = get_label_quality_scores(labels.argmax(axis=1), probabilities)
    listed: list[int] = np.argsort(quality, kind="stable")[: int(np.ceil(SHARE * count))].tolist()
    return listed


def main(argv: list[str]) -> int:
    """Print the recall of both, mean and standard deviation over the seeds."""
    parser = argparse.ArgumentParser(prog="noise", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--corpus", nargs="+", default=list(CORPORA), choices=CORPORA)
    options = parser.parse_args(argv)
    last = []
    for name in options.corpus:
        history = load(name)
        recalls: dict[str, list[float]] = {"ours": [], "tfidf": []}
        for seed in range(options.seeds):
            labels, flipped = flip(history.labels, seed)
            for method, lister in (("ours", ours), ("tfidf", out_of_the_box)):
                found = set(lister(history, labels)) & set(flipped.tolist())
                recalls[method].append(len(found) / len(flipped))
        for method, values in recalls.items():
            print(f"{name} {method}: recall {np.mean(values):.3f} ± {np.std(values):.3f}", flush=True)
            last.append(f"{name}_{method}_recall={np.mean(values):.3f}")
    print(" ".join(last))
    return 0
