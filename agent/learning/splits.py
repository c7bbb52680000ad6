"""Split a training set into training, validation and test parts: time-ordered, stratified, duplicates kept together.

Exactly:
1. The units are near-duplicate groups, never tickets. A group is as new as its newest ticket, and of the role that
   most of its tickets have (the first role of a ticket counts; ties go to the name that sorts first).
2. Each role gives each part its share of tickets: shares of the whole are rounded once, and distributed over the roles
   by largest remainder (ties to the name that sorts first). The oldest group of every role stays in training.
3. Within a role, groups are dealt newest first: to the test part while at least half the group fits into what the role
   still owes it, else to validation by the same rule, else to training. So each role's test tickets are its newest
   ones, but for groups that are too big.

There is no randomness: the same tickets give the same split, in whatever order they come.

    parts = split(examples, groups)                     # Split(train, validation, test): indices, int[...]
    parts.manifest(examples)                            # {"train": [ticket keys], ...}: stored with the model
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from agent.domain import Example
from agent.learning.training_set import Groups

VALIDATION, TEST = 0.15, 0.15  # shares; the rest is for training

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The indices of the tickets in each part, in ascending order."""

    train: Indices
    validation: Indices
    test: Indices

    def manifest(self, examples: Sequence[Example]) -> dict[str, list[str]]:
        """Return the ticket keys of each part."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: [examples[int(i)].ticket_key for i in indices] for name, indices in parts.items()}


def split(examples: Sequence[Example], groups: Groups, *, validation: float = VALIDATION, test: float = TEST) -> Split:
    """Return the split of `examples` with near-duplicate groups int[n] (see the module for the exact rules)."""
    by_group: dict[int, list[int]] = {}
    for index, group in enumerate(groups.tolist()):
        by_group.setdefault(group, []).append(index)
    by_role: dict[str, list[list[int]]] = {}
    for members in by_group.values():
        by_role.setdefault(_role(examples, members), []).append(members)
    sizes = {role: sum(map(len, units)) for role, units in sorted(by_role.items())}
    test_quota, validation_quota = _quotas(sizes, test), _quotas(sizes, validation)
    parts: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for role, units in sorted(by_role.items()):
        newest_first = sorted(units, key=lambda members: _newest(examples, members), reverse=True)
        owed = {"test": float(test_quota[role]), "validation": float(validation_quota[role])}
        for members in newest_first[:-1]:
            part = next((name for name, due in owed.items() if due >= len(members) / 2), "train")
            if part in owed:
                owed[part] -= len(members)
            parts[part].extend(members)
        parts["train"].extend(newest_first[-1])
    return Split(*(np.array(sorted(parts[part]), dtype=np.intp) for part in ("train", "validation", "test")))


def _role(examples: Sequence[Example], members: Sequence[int]) -> str:
    votes = Counter(examples[i].roles[0] for i in members)
    return min(votes, key=lambda role: (-votes[role], role))


def _newest(examples: Sequence[Example], members: Sequence[int]) -> tuple[datetime, str]:
    return max((examples[i].filed_at, examples[i].ticket_key) for i in members)


def _quotas(sizes: Mapping[str, int], share: float) -> dict[str, int]:
    """Return how many tickets each role owes a part: round(share of all), by largest remainder."""
    exact = {role: size * share for role, size in sizes.items()}
    quotas = {role: int(value) for role, value in exact.items()}
    missing = round(sum(exact.values())) - sum(quotas.values())
    for role in sorted(exact, key=lambda role: (quotas[role] - exact[role], role))[:missing]:
        quotas[role] += 1
    return quotas
