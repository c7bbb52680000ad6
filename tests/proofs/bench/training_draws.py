"""Draws for the training benchmark: which tickets are learnt from and which are judged."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.demo import corpus
from agent.text.reading import joined

CACHE = Path("build/bench")
SHARED = Path(__file__).parents[3] / "../shared/data"
FILES = {"agnews": "agnews_test.csv", "sandiego": "sandiego_demo_3k.csv", "endava": "endava_category5_3k.csv"}

Row = tuple[str, str]
"""A text and its role."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One experiment; no judged text is also a training text."""

    train: tuple[Row, ...]
    judged: tuple[Row, ...]
    roles: tuple[str, ...]


def load(name: str) -> list[Row]:
    """Return the rows of `demo`, of a corpus under ../shared/data, or of a CSV file with subject, body and label."""
    if name == "demo":
        return [(example.text, example.roles[0]) for example in corpus.load(CACHE)]
    with (SHARED / FILES[name] if name in FILES else Path(name)).open(encoding="utf-8", newline="") as file:
        rows = [(joined(row["subject"], row["body"]), row["label"]) for row in csv.DictReader(file)]
    return [(text, role) for text, role in rows if text and role]


def draw(rows: list[Row], count: int, judge: int, seed: int, *, per_role: int | None = None) -> Draw:
    """Draw `count` training texts, or `per_role` of every role, and up to `judge` others without their duplicates."""
    order = np.random.default_rng(seed).permutation(len(rows))
    if per_role is None:
        train = [rows[index] for index in order[:count]]
    else:
        taken: dict[str, int] = {}
        train = []
        for index in order:
            role = rows[index][1]
            if taken.get(role, 0) < per_role:
                taken[role] = taken.get(role, 0) + 1
                train.append(rows[index])
    seen = {text for text, _ in train}
    judged = [rows[index] for index in order if rows[index][0] not in seen][:judge]
    return Draw(tuple(train), tuple(judged), tuple(sorted({role for _, role in rows})))
