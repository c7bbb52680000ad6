"""Dated histories for the benchmarks: reviewed tickets with rule hits and embeddings, cached under build/bench."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.config.rules_file import load_rules
from agent.demo import corpus
from agent.domain import Example, ticket_key
from agent.serving.model import Encoder
from agent.studies.replay import History
from heuristics import Hit

CACHE = Path("build/bench")
ROOT = Path(__file__).parents[3]
SHARED = ROOT / "../shared/data"
FILES = {
    "sandiego": "sandiego_demo_3k.csv",
    "endava": "endava_category5_3k.csv",
    "german10": "german_mails_10_queues.csv",
    "german42": "german_mails_42_queues.csv",
}
LINE_END = r"\n"
"""What some exports wrote where a line ended: two characters."""

RULES = {"excavators": ROOT / "config/rules.toml", "sandiego": ROOT / "tests/proofs/bench/sandiego/rules.toml"}
UNDATED = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Corpus(History):
    """A history by name, reviewed in time order."""

    name: str = ""

    @property
    def texts(self) -> list[str]:
        """The texts that models see."""
        return [example.text for example in self.examples]


def load(name: str) -> Corpus:
    """Return `excavators`, or a corpus from ../shared/data; one without dates is in a fixed random order."""
    examples = corpus.load(CACHE) if name == "excavators" else _read(name)
    roles = tuple(sorted({example.roles[0] for example in examples}))
    labels = np.array([[float(role in example.roles) for role in roles] for example in examples])
    fired: tuple[tuple[Hit, ...], ...] = tuple(() for _ in examples)
    if name in RULES:
        rules = load_rules(RULES[name])
        fired = tuple(rules.match(*e.words, e.filed_at.date()) for e in examples)
    return Corpus(examples, roles, labels, embed([e.text for e in examples]), fired, name)


def _read(name: str) -> list[Example]:
    with (SHARED / FILES[name]).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] and (row["subject"] or row["body"]).strip()]
    if not rows[0].get("created_at"):
        rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    return [
        Example(
            ticket_key(name, row["id"]),
            row["subject"],
            row["body"].replace(LINE_END, "\n"),
            (row["label"],),
            datetime.fromisoformat(row["created_at"]).replace(tzinfo=UTC) if row.get("created_at") else UNDATED,
        )
        for row in rows
    ]


def embed(texts: list[str]) -> NDArray[np.float32]:
    """Return the embeddings of texts by the packaged encoder, kept for the next time."""
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    cached = CACHE / f"embeddings-{digest}.npy"
    if not cached.exists():
        from agent.fitting.job import PACKAGED
        from agent.fitting.process.base import open_base
        from agent.fitting.process.export import cached_encoder
        from agent.fitting.process.source import locate

        encoders = CACHE / "encoders"
        encoder = Encoder.load(cached_encoder(open_base(locate(PACKAGED, encoders), max_tokens=128), encoders))
        cached.parent.mkdir(parents=True, exist_ok=True)
        np.save(cached, encoder.embed(texts))
    embeddings: NDArray[np.float32] = np.load(cached, allow_pickle=False)
    return embeddings
