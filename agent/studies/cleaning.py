"""Rank reviewed tickets whose role looks wrong, with the reason in words. Nothing is dropped: a person looks.

The measure is cleanlab's label quality (self-confidence: the probability of the given label; Northcutt et al.,
"Confident learning", JAIR 2021) on honest fused probabilities, in which rules, model and the nearest other tickets
speak. The reason adds what a reviewer can see at once: the same words, filed under another role.

    for found in suspicious(probabilities, labels, roles, groups):      # most suspicious first
        print(examples[found.index].text, found.given, found.likely, found.reason)

`probabilities` must be honest (agent.learning.contest answers so): a model that was trained on a wrong
label repeats it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.learning.training_set import Groups

Floats = NDArray[np.float64]

SHARE = 0.15  # of the tickets that are listed at most


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A ticket whose label looks wrong; `quality` is from 0 (surely wrong) to 1 (surely right)."""

    index: int
    given: tuple[str, ...]
    likely: tuple[str, ...]
    quality: float
    reason: str


def suspicious(
    probabilities: Floats,
    labels: Floats,
    roles: Sequence[str],
    groups: Groups,
    *,
    share: float = SHARE,
    multi_label: bool = False,
) -> tuple[Suspicion, ...]:
    """Return the worst `share` of n tickets, the most suspicious first, if another role is at least as probable.

    `probabilities`: honest, [n, roles]; `labels`: 0/1, [n, roles]; `groups`: near-duplicate group of each ticket, [n].
    """
    quality = _quality(probabilities, labels, multi_label)
    names = np.array(roles, dtype=object)
    given = [tuple(names[row > 0]) for row in labels]
    in_group: dict[int, Counter[tuple[str, ...]]] = {}
    for group, roles_given in zip(groups.tolist(), given, strict=True):
        in_group.setdefault(group, Counter())[roles_given] += 1
    found = []
    for index in np.argsort(quality, kind="stable")[: int(np.ceil(share * len(labels)))].tolist():
        row = probabilities[index]
        likely = tuple(names[row >= 0.5]) if multi_label and (row >= 0.5).any() else (str(names[row.argmax()]),)
        if np.ptp(row) == 0.0:  # all alike: nothing speaks for any
            likely = given[index]
        others = in_group[int(groups[index])] - Counter({given[index]: len(labels)})
        if set(likely) <= set(given[index]) and not others:
            continue
        reason = _reason(given[index], likely, row, roles, others)
        found.append(Suspicion(index, given[index], likely, float(quality[index]), reason))
    return tuple(found)


def _quality(probabilities: Floats, labels: Floats, multi_label: bool) -> Floats:
    if not len(labels):
        return np.zeros(0)
    if multi_label:
        from cleanlab.multilabel_classification import get_label_quality_scores as quality_of_sets

        sets = [np.flatnonzero(row).tolist() for row in labels]
        return np.asarray(quality_of_sets(sets, probabilities), dtype=np.float64)
    from cleanlab.rank import get_label_quality_scores

    scores = get_label_quality_scores(labels.argmax(axis=1), probabilities, method="self_confidence")
    return np.asarray(scores, dtype=np.float64)


def _reason(
    given: tuple[str, ...],
    likely: tuple[str, ...],
    row: Floats,
    roles: Sequence[str],
    others: Counter[tuple[str, ...]],
) -> str:
    def share(names: tuple[str, ...]) -> str:
        return ", ".join(f"{name} {row[roles.index(name)]:.0%}" for name in names)

    parts = []
    if others:
        elsewhere = ", ".join(f"{' + '.join(names)} ({count})" for names, count in sorted(others.items()))
        parts.append(f"nearly the same words were also given to {elsewhere}")
    if not set(likely) <= set(given):
        parts.append(f"the evidence says {share(likely)}; as given: {share(given)}")
    return "; ".join(parts)
