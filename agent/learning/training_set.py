"""Choose what the next model learns from: the latest reviewed tickets, plus older ones of roles the window would lose.

chosen = build(examples, roles=catalogue_roles, successors={"Sparks": "Electrical", "Old team": None})
chosen.examples, chosen.weights, chosen.groups      # oldest first; float64[n]; int[n] near-duplicate groups
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent.domain import Example
from agent.learning.duplicates import Groups, group_duplicates
from agent.triage.memory import TRUST

WINDOW = 150  # latest reviewed tickets
FLOOR = 8  # of each role, taken from older tickets where the window has fewer
CAP = 75  # of each role: half the window


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Reviewed tickets to learn from, oldest first, with the trust in each label ([n]) and duplicate groups ([n])."""

    examples: tuple[Example, ...]
    weights: NDArray[np.float64]
    groups: Groups

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that occur, by name."""
        return tuple(sorted({role for example in self.examples for role in example.roles}))

    @property
    def multi_label(self) -> bool:
        """Whether any ticket has several roles: then every ticket may have."""
        return any(len(example.roles) > 1 for example in self.examples)

    def labels(self, roles: tuple[str, ...] | None = None) -> NDArray[np.float64]:
        """Return the reviewed roles as 0/1, float64[n, roles]."""
        columns = self.roles if roles is None else roles
        shape = (len(self.examples), len(columns))
        return np.array([[float(r in e.roles) for r in columns] for e in self.examples]).reshape(shape)


def build(
    examples: Iterable[Example],
    *,
    window: int = WINDOW,
    floor: int = FLOOR,
    cap: int = CAP,
    roles: Collection[str] | None = None,
    successors: Mapping[str, str | None] | None = None,
) -> TrainingSet:
    """Return the training set of these reviewed tickets; of a ticket given twice, the last one counts.

    `roles`: those that exist today (None: all that occur). `successors`: retired role -> the role that took over, or
    None to drop it. A ticket with two roles counts for both; it is wanted while either role is.
    """
    usable: list[Example] = []
    for example in sorted({e.ticket_key: e for e in examples}.values(), key=lambda e: (e.filed_at, e.ticket_key)):
        current = _current_roles(example.roles, roles, successors or {})
        if current and example.text.strip():
            usable.append(replace(example, roles=current))
    kept: list[Example] = []
    counts: Counter[str] = Counter()
    for age, example in enumerate(reversed(usable)):
        fewest = min(counts[role] for role in example.roles)
        if fewest < cap and (age < window or fewest < floor):
            kept.append(example)
            counts.update(example.roles)
    kept.reverse()
    groups = group_duplicates([example.text for example in kept])
    weights = np.array([TRUST[example.strength] for example in kept], dtype=np.float64)
    return TrainingSet(tuple(kept), weights, groups)


def _current_roles(
    named: tuple[str, ...], roles: Collection[str] | None, successors: Mapping[str, str | None]
) -> tuple[str, ...]:
    """Follow renamed and merged roles to those of today, in the order named, each once."""
    found: dict[str, None] = {}
    for name in named:
        role: str | None = name
        followed: set[str] = set()
        while role is not None and role in successors and role not in followed:
            followed.add(role)
            role = successors[role]
        if role is not None and (roles is None or role in roles):
            found[role] = None
    return tuple(found)
