"""Consult the reviewed tickets nearest to a new one: a correction counts at the next ticket, before any retraining.

Give embeddings of the *frozen base encoder*, not of the tuned one: tuning pulls all tickets of a role together (one
correction would move the whole role), and its space changes every night.

    memory = remember(reviews, roles)                  # reviews: Remembered..., oldest review first
    recalled = recall(memory, embeddings, fusion.base) # embeddings: float32[n, dim], L2-normalised
    recalled.evidence, recalled.corrections            # float64[n, roles], both go to Fusion.probabilities
    recalled.neighbours[0]                             # similar reviewed tickets of ticket 0, nearest first

Two parts. Neighbours vote with a kernel that is 0 below a similarity floor, so unrelated tickets do not move. And where
a person replaced a role that we had named, that role is held back for tickets that say nearly the same, and the named
one put forward, until later reviews of equally near tickets contradict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.domain import Strength

Floats = NDArray[np.float64]
Embeddings = NDArray[np.float32]

NEIGHBOURS = 20  # that vote
SIMILARITY_FLOOR = 0.45  # cosine; below it two short tickets share a role hardly more often than chance
SHARPNESS = 2.0  # exponent of the kernel between the floor and 1
DOUBT = 0.3  # imagined neighbours of the base rate: how little a single neighbour may say
CORRECTION_FLOOR, CORRECTION_FULL = 0.6, 0.8  # cosine between which a correction gains its full force
CORRECTION_FORCE = 6.0  # log-odds, whatever weight the fusion gives to votes: it must beat a model that is 99 % sure
TRUST = {Strength.CLOSED_AS_SUGGESTED: 0.4, Strength.CLOSED: 0.7, Strength.CONFIRMED: 0.9, Strength.CORRECTED: 1.0}


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """A reviewed ticket: where it lies, which roles people settled on, and the roles of ours that they replaced."""

    ticket_key: str
    embedding: Embeddings
    roles: tuple[str, ...]
    strength: Strength = Strength.CONFIRMED
    rejected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """Reviewed tickets as arrays, oldest review first: embeddings [m, dim]; all others [m] or [m, roles]."""

    roles: tuple[str, ...]
    ticket_keys: tuple[str, ...]
    embeddings: Embeddings
    labels: Floats
    trust: Floats
    rejected: Floats

    def __len__(self) -> int:
        """Return the number of reviewed tickets."""
        return len(self.ticket_keys)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A reviewed ticket like the new one; similarity is the cosine, -1 to 1."""

    ticket_key: str
    similarity: float
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Recalled:
    """What the memory says about n tickets: log-odds float64[n, roles], and the similar reviewed tickets of each."""

    evidence: Floats
    corrections: Floats
    neighbours: tuple[tuple[Neighbour, ...], ...]


def remember(reviews: Sequence[Remembered], roles: Sequence[str]) -> Memory:
    """Return the memory of `reviews` (oldest first): the latest review of each ticket, those of known roles only."""
    latest: dict[str, Remembered] = {}
    for review in reviews:
        latest.pop(review.ticket_key, None)  # a ticket reviewed again moves to the end
        latest[review.ticket_key] = review
    kept = [review for review in latest.values() if set(review.roles) & set(roles)]
    if not kept:
        nothing = np.zeros((0, len(roles)))
        return Memory(tuple(roles), (), np.zeros((0, 0), dtype=np.float32), nothing, np.zeros(0), nothing)
    return Memory(
        tuple(roles),
        tuple(review.ticket_key for review in kept),
        np.array([review.embedding for review in kept], dtype=np.float32),
        np.array([[float(role in review.roles) for role in roles] for review in kept]),
        np.array([TRUST[review.strength] for review in kept]),
        np.array([[float(role in review.rejected) for role in roles] for review in kept]),
    )


def recall(
    memory: Memory,
    embeddings: Embeddings,
    base: Floats,
    *,
    multi_label: bool = False,
    hidden: NDArray[np.bool_] | None = None,
    shown: int = 3,
) -> Recalled:
    """Return what the memory says about tickets (embeddings: float32[n, dim]) whose roles have the shares `base`.

    `hidden` ([n, m]) leaves out reviews per ticket, its own for instance, when weights are fitted. At most `shown`
    neighbours above the similarity floor are named, nearest first.
    """
    count = len(embeddings)
    if not len(memory):
        silence = np.zeros((count, len(memory.roles)))
        return Recalled(silence, silence.copy(), ((),) * count)
    similarity = np.asarray(embeddings @ memory.embeddings.T, dtype=np.float64)
    if hidden is not None:
        similarity = np.where(hidden, -1.0, similarity)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :NEIGHBOURS]
    kernel = np.zeros_like(similarity)
    closeness = np.clip((np.take_along_axis(similarity, nearest, 1) - SIMILARITY_FLOOR) / (1 - SIMILARITY_FLOOR), 0, 1)
    np.put_along_axis(kernel, nearest, closeness**SHARPNESS, 1)
    named = tuple(
        tuple(
            Neighbour(memory.ticket_keys[i], float(similarity[row, i]), _roles(memory, int(i)))
            for i in nearest[row, :shown]
            if similarity[row, i] >= SIMILARITY_FLOOR
        )
        for row in range(count)
    )
    return Recalled(_votes(memory, kernel * memory.trust, base, multi_label), _corrections(memory, similarity), named)


def _roles(memory: Memory, review: int) -> tuple[str, ...]:
    return tuple(role for role, has in zip(memory.roles, memory.labels[review], strict=True) if has)


def _votes(memory: Memory, kernel: Floats, base: Floats, multi_label: bool) -> Floats:
    """Return log P(role | neighbours) - log P(role), or of log-odds: the kernel's weights as hits in a Dirichlet."""
    votes = memory.labels if multi_label else memory.labels / memory.labels.sum(axis=1, keepdims=True)
    posterior = (kernel @ votes + DOUBT * base) / (kernel.sum(axis=1, keepdims=True) + DOUBT)
    change: Floats = np.log(posterior) - np.log(base)
    return change - (np.log1p(-posterior) - np.log1p(-base)) if multi_label else change


def _corrections(memory: Memory, similarity: Floats) -> Floats:
    """Return what corrections of nearly the same text hold back (negative) and put forward (positive)."""
    answer = np.zeros((len(similarity), len(memory.roles)))
    near = np.clip((similarity - CORRECTION_FLOOR) / (CORRECTION_FULL - CORRECTION_FLOOR), 0.0, 1.0)
    corrected = np.flatnonzero(memory.rejected.any(axis=1))
    for row, close in enumerate(near):
        held_back, put_forward = np.zeros(len(memory.roles)), np.zeros(len(memory.roles))
        for review in corrected[close[corrected] > 0]:
            later = close[review + 1 :] * memory.trust[review + 1 :]
            agreeing = later @ memory.labels[review + 1 :]
            back = CORRECTION_FORCE * close[review] * memory.rejected[review] / (1.0 + agreeing)
            forward = CORRECTION_FORCE * close[review] * memory.labels[review] / (1.0 + later.sum() - agreeing)
            held_back, put_forward = np.maximum(held_back, back), np.maximum(put_forward, forward)
        answer[row] = put_forward - held_back
    return answer
