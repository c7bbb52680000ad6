"""A desk with 41 queues of which one takes half the tickets: how often is a suggestion clear, and how often right?

    python -m tests.proofs.bench dominated [--seeds 5]

The ten queues of German 10 joined to one (750 mails) beside 40 queues of German 42 (750), mixed by seed; 450 reviewed,
the others judged. No rules, the quick lane, all seeds pooled.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from agent.fitting.evaluation import calibration_error, correct
from tests.proofs.bench.desks import rows, served, shuffled
from tests.proofs.bench.histories import Corpus, load

EACH, REVIEWED, QUEUES = 750, 450, 40
JOINED = "all of the other desk"


def mixed(joined: Corpus, queues: Corpus, seed: int) -> Corpus:
    """Return the mails of both desks in random order, those of `joined` with one role."""
    kept = np.flatnonzero(queues.labels[:, :QUEUES].any(axis=1))
    one, many = shuffled(joined, seed, EACH), shuffled(rows(queues, kept), seed, EACH)
    examples = [replace(e, roles=(JOINED,)) for e in one.examples] + list(many.examples)
    roles = (*queues.roles[:QUEUES], JOINED)
    whole = Corpus(
        examples,
        roles,
        np.array([[float(role in e.roles) for role in roles] for e in examples]),
        np.concatenate([one.embeddings, many.embeddings]),
        [()] * len(examples),
        "dominated",
    )
    return shuffled(whole, seed, len(examples))


def main(argv: list[str]) -> int:
    """Print the pooled figures."""
    parser = argparse.ArgumentParser(prog="dominated", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(argv)
    joined, queues = load("german10"), load("german42")
    right, confidence, clear = [], [], []
    for seed in range(options.seeds):
        desk = mixed(joined, queues, seed)
        said, plain = served(desk, REVIEWED)
        right.append(correct(said, desk.labels[REVIEWED:]))
        confidence.append(said.max(axis=1))
        clear.append(plain)
    hits, asserted = np.concatenate(right), np.concatenate(clear)
    print(
        f"accuracy={hits.mean():.3f} precision={hits[asserted].mean():.3f} coverage={asserted.mean():.3f} "
        f"ece={calibration_error(np.concatenate(confidence), hits):.3f}"
    )
    return 0
