"""The promises of the evidence stack, kept on an invented history: a replay with the real code, in seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.domain import Example
from agent.fitting.evaluation import correct, evaluate
from heuristics import Hit, Kind, Scope
from tests.proofs.bench.histories import Corpus
from tests.proofs.bench.replay import Replayed, replay

ROLES = ("Electrician", "Network", "Plumbing")
TICKETS, START, EVERY, WINDOW = 450, 150, 100, 150


def history(seed: int) -> Corpus:
    """Tickets whose embeddings tell the role fairly well, and rules that match 6 in 10 and are right on 8 in 10."""
    random = np.random.default_rng(seed)
    role = random.integers(0, 3, TICKETS)
    points = 0.55 * np.eye(12)[role] + random.normal(0, 0.25, (TICKETS, 12))
    embeddings = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    named = np.where(random.random(TICKETS) < 0.7, role, random.integers(0, 3, TICKETS))
    speaks = random.random(TICKETS) < 0.6
    fired = tuple(
        (Hit(f"rule-{n}", ROLES[n], Kind.VOTE, 1.5, Scope.BODY, 0, 1, "x"),) if s else ()
        for n, s in zip(named, speaks, strict=True)
    )
    words = [" ".join(random.choice(list("abcdefghijklmnopqrstuvwxyz"), 12)) for _ in range(TICKETS)]
    day = datetime(2025, 1, 1, tzinfo=UTC)
    examples = tuple(
        Example(f"desk:{i}", words[i], "", (ROLES[role[i]],), day + timedelta(hours=i)) for i in range(TICKETS)
    )
    return Corpus(examples, ROLES, np.eye(3)[role], embeddings, fired, "invented")


@pytest.fixture(scope="module", params=[0, 1])
def replayed(request: pytest.FixtureRequest) -> Replayed:
    return replay(history(request.param), START, EVERY, WINDOW)


def accuracy(done: Replayed, contender: str) -> float:
    return float(correct(done.answers[contender], done.labels).mean())


def test_the_pool_is_not_below_its_best_voice(replayed: Replayed) -> None:
    best = max(accuracy(replayed, voice) for voice in ("rules only", "model only", "TF-IDF"))
    assert accuracy(replayed, "fused") >= best


def test_the_pooled_probabilities_can_be_believed(replayed: Replayed) -> None:
    assert evaluate(replayed.answers["fused"], replayed.labels, ROLES).ece < 0.08


def test_the_precision_target_is_kept_by_what_is_clear(replayed: Replayed) -> None:
    right = correct(replayed.answers["fused"], replayed.labels)[replayed.clear]
    assert right.mean() >= 0.86
    assert replayed.clear.mean() >= 0.3
