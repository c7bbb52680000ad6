"""Choose what the next model learns from, and split it into training, validation and test parts.

    known = usable(examples, catalogue.names)
    chosen = build(known)
    chosen.examples, chosen.groups              # oldest first; int[n] near-duplicate groups
    parts = split(chosen.examples, chosen.groups)   # Split(train, validation, test): indices, int[...]
    parts.manifest(chosen.examples)                     # {"train": [ticket keys], ...}: stored with the model

Chosen are the latest reviewed tickets, plus older ones of roles that the window would lose. Tickets that say the same
in nearly the same words form a group, so that no split is judged on tickets it was trained on. Two are near-duplicates
if their texts are equal after normalisation (case, punctuation, digits), or if the Jaccard similarity of their word
shingles is at least `SAME`; the relation is passed on (connected components).

The split is time-ordered, stratified, and without randomness:
1. Its units are the groups. A group is as new as its newest ticket, and of the role that most of its tickets have (the
   first role of a ticket counts; ties go to the name that sorts first).
2. Each role gives each part its share of tickets: shares of the whole are rounded once, and distributed over the roles
   by largest remainder (ties to the name that sorts first). The oldest group of every role stays in training.
3. Within a role, groups are dealt newest first: to the test part while at least half the group fits into what the role
   still owes it, else to validation by the same rule, else to training.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, vstack  # type: ignore[import-untyped]  # scipy ships no types
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]  # scipy ships no types

from agent.domain import Example
from agent.feedback.accounts import given, within_budget
from agent.packages import without

WINDOW = 150  # latest reviewed tickets
FLOOR = 8  # of each role, taken from older tickets where the window has fewer
CAP_SHARE = 0.5  # of the window that one role may fill
FLOOD = (
    "one person filed or closed far more in a day than is usual for them; what they do every day is usual after three"
)
ENOUGH = 20  # of a role: from here on more of another role helps more
SAME = 0.7  # Jaccard similarity of 1- and 2-word shingles: one word in ten changed
CHUNK = 512  # rows compared at once: memory stays in proportion to this, not to n squared
VALIDATION, TEST = 0.15, 0.15  # shares; the rest is for training

Groups = NDArray[np.int64]
Indices = NDArray[np.intp]

_DIGITS, _SEPARATORS, _WORD = re.compile(r"\d+"), re.compile(r"[\W_]+"), r"\S+"


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Reviewed tickets to learn from, oldest first, with their duplicate groups ([n])."""

    examples: tuple[Example, ...]
    groups: Groups

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that occur, by name."""
        return tuple(sorted({role for example in self.examples for role in example.roles}))


def build(
    examples: Iterable[Example], *, window: int = WINDOW, floor: int = FLOOR, cap: int | None = None
) -> TrainingSet:
    """Return the training set of these reviewed tickets; of a ticket given twice, the last one counts.

    A ticket with two roles counts for both; it is wanted while either role is. `cap`: of each role (None: half the
    window).
    """
    kept = latest(examples, window=window, floor=floor, cap=cap)
    return TrainingSet(tuple(kept), group_duplicates([example.text for example in kept]))


def latest(
    examples: Iterable[Example], *, window: int = WINDOW, floor: int = FLOOR, cap: int | None = None
) -> list[Example]:
    """Return the tickets of the training set, oldest first."""
    cap = int(CAP_SHARE * window) if cap is None else cap
    kept: list[Example] = []
    counts: Counter[str] = Counter()
    oldest_first = sorted({e.ticket_key: e for e in examples}.values(), key=lambda e: (e.filed_at, e.ticket_key))
    age = 0
    for example in reversed(oldest_first):
        fewest = min(counts[role] for role in example.roles)
        wanted = fewest < cap and (age < window or fewest < floor)
        if (wanted or age < window) and has_text(example):  # reading a text takes a tenth of a millisecond
            age += 1
            if wanted:
                kept.append(example)
                counts.update(example.roles)
    return kept[::-1]


def usable(examples: Iterable[Example], roles: Collection[str]) -> list[Example]:
    """Return the reviewed tickets that can be learnt from, in their order.

    Those with words and with roles of today, and no more of one person than teach (`accounts`). Whether any
    of the words counts is seen where a ticket is chosen: reading all texts would make nights dearer with the history.
    """
    return [e for e, why in _read(examples, roles) if not why]


def left_out(examples: Iterable[Example], roles: Collection[str]) -> list[str]:
    """Return for each reason for which reviewed tickets teach nothing how many these are, in words."""
    counts = Counter(why for _, why in _read(examples, roles) if why)
    return [f"{count} reviewed tickets teach nothing: {why}" for why, count in counts.most_common()]


def _read(examples: Iterable[Example], roles: Collection[str]) -> Iterator[tuple[Example, str]]:
    """Yield each reviewed ticket with its roles of today, and why it teaches nothing."""
    today = [replace(e, roles=tuple(role for role in e.roles if role in roles)) for e in examples]
    for e, teaches in zip(today, within_budget([given(e) for e in today]), strict=True):
        if not e.roles:
            yield e, "roles.toml does not name their roles"
        elif not (e.subject + e.body).strip():
            yield e, "they have no words"
        else:
            yield e, "" if teaches else FLOOD


def has_text(example: Example) -> bool:
    """Return whether there is anything in a ticket that models see."""
    return bool(example.text.strip())


def newest(known: Sequence[Example], count: int) -> list[Example]:
    """Return the latest so many tickets with a text, in their order."""
    return list(islice(filter(has_text, reversed(known)), count))[::-1]


def still_needed(examples: Iterable[Example], roles: Collection[str]) -> dict[str, int]:
    """Return how many more reviewed tickets each role needs until it has ENOUGH, the neediest first."""
    counts = Counter(role for example in examples for role in example.roles)
    lacking = {role: ENOUGH - counts[role] for role in roles if counts[role] < ENOUGH}
    return dict(sorted(lacking.items(), key=lambda item: (-item[1], item[0])))


def normalise(text: str) -> str:
    """Return the text in lower case, digits as `0`, punctuation and space as single blanks."""
    return _SEPARATORS.sub(" ", _DIGITS.sub("0", text.casefold())).strip()


def group_duplicates(texts: Sequence[str]) -> Groups:
    """Return the group number of each text, int[n], from 0 in order of first appearance."""
    if not texts:
        return np.zeros(0, dtype=np.int64)
    unique, place = np.unique([normalise(text) for text in texts], return_inverse=True)
    component = _components(list(unique))[place]
    _, first = np.unique(component, return_index=True)
    renumber = np.empty(len(first), dtype=np.int64)
    renumber[np.argsort(first, kind="stable")] = np.arange(len(first))
    return renumber[component]


def _components(texts: list[str]) -> Groups:
    with without("pandas"):
        from sklearn.feature_extraction.text import CountVectorizer

    shingles = CountVectorizer(ngram_range=(1, 2), binary=True, token_pattern=_WORD, lowercase=False)
    if not any(texts):
        return np.arange(len(texts), dtype=np.int64)
    words = shingles.fit_transform(texts)
    size = np.asarray(words.sum(axis=1)).ravel()
    links = [_similar(words[start : start + CHUNK], words, size, start) for start in range(0, len(texts), CHUNK)]
    _, component = connected_components(vstack(links), directed=False)
    return np.asarray(component, dtype=np.int64)


def _similar(rows: csr_array, words: csr_array, size: NDArray[np.int64], start: int) -> coo_array:
    shared = coo_array(rows @ words.T)
    row, column = shared.coords
    same = shared.data >= SAME * (size[row + start] + size[column] - shared.data)
    return coo_array((np.ones(int(same.sum())), (row[same], column[same])), shape=shared.shape)


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
