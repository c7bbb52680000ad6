"""Consult the reviewed tickets nearest to a new one: a correction counts at the next ticket, before any retraining.

Give embeddings of the *frozen base encoder*, not of the tuned one: tuning pulls all tickets of a role together (one
correction would move the whole role), and its space changes every night.

    memory = remember(reviews, roles)                  # reviews: ReviewedEmbedding..., oldest review first
    memory = memory.add(review)                        # the same as remembering all of them again
    recalled = recall(memory, embeddings, fusion)      # embeddings: float32[n, dim], L2-normalised
    recalled.neighbours[0]                             # similar reviewed tickets of ticket 0, nearest first

Neighbours vote with a kernel that is 0 below a similarity floor, so unrelated tickets do not move (`evidence`). Where a
person replaced a role that we had named, that role is held back and the named one put forward: for the same text in any
case (`corrections`); for similar texts as far as this has proved right on this desk (`lessons`, whose weight is fitted:
where the same words often mean different roles, one correction must not rule over all its neighbours).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.domain import Example, Strength
from agent.serving.model import Encoder
from agent.store import tickets
from agent.store.database import Database
from agent.text.reading import CLEANER
from agent.triage.evidence import Floats, Neighbour, Recall
from agent.triage.fusion import Fusion

Embeddings = NDArray[np.float32]

NEIGHBOURS = 20  # that vote
SIMILARITY_FLOOR = 0.4  # cosine; below it two short tickets share a role hardly more often than chance
SHARPNESS = 2.0  # exponent of the kernel between the floor and 1
DOUBT = 0.2  # imagined neighbours at the base rate: they limit the weight of a single neighbour
SAME_TEXT = 0.95  # cosine; from here on a correction is about this very text
LESSON_FLOOR, LESSON_FULL = 0.5, 0.7  # cosine; paraphrases of a ticket lie at 0.55 to 0.95, other tickets below 0.4
TIE = 0.01  # cosine; closer than this, two reviews are as near as each other
PUT_FORWARD = 0.7  # probability of the role that a person named for this very text
HOLD_BACK = 0.98  # share of its probability that the role they replaced loses; people may be wrong
LESSON = 4.0  # log-odds, for the new role and against the old one, of a correction of a similar text
TRUST = dict(zip(Strength, (0.0, 0.4, 0.7, 0.8, 0.9, 1.0), strict=True))  # a reopening is no label


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedEmbedding:
    """A reviewed ticket: its embedding, the roles that people gave it, and the suggested roles that they replaced."""

    ticket_key: str
    embedding: Embeddings
    roles: tuple[str, ...]
    strength: Strength = Strength.CONFIRMED
    rejected: tuple[str, ...] = ()


def reviewed_embeddings(
    examples: Sequence[Example], embeddings: Iterable[Embeddings], rejected: Mapping[str, tuple[str, ...]]
) -> list[ReviewedEmbedding]:
    """Return reviewed tickets as the memory takes them. `rejected`: the replaced roles, by ticket key."""
    return [
        ReviewedEmbedding(e.ticket_key, vector, e.roles, e.strength, rejected.get(e.ticket_key, ()))
        for e, vector in zip(examples, embeddings, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """Reviewed tickets as arrays, oldest review first: embeddings [m, dim]; all others [m] or [m, roles].

    Tickets that are none of ours have no label (`agent.triage.memory_store`), and no vote.
    """

    roles: tuple[str, ...]
    ticket_keys: tuple[str, ...]
    embeddings: Embeddings
    labels: Floats
    trust: Floats
    rejected: Floats

    def __len__(self) -> int:
        """Return the number of reviewed tickets."""
        return len(self.ticket_keys)

    def takes(self, review: ReviewedEmbedding) -> bool:
        """Return whether a review names a role of this memory, or none at all; others are not remembered."""
        return not review.roles or not set(review.roles).isdisjoint(self.roles)

    def without(self, ticket_keys: Collection[str]) -> Memory:
        """Return this memory without the reviews of some tickets."""
        return self._of([i for i, key in enumerate(self.ticket_keys) if key not in ticket_keys])

    def first(self, count: int) -> Memory:
        """Return this memory as it was after `count` reviews."""
        return self._of(range(min(count, len(self))))

    def add(self, review: ReviewedEmbedding, place: int | None = None) -> Memory:
        """Return this memory with the review of a new ticket before the row `place`, by default as the latest."""
        if not self.takes(review):
            return self
        one = remember([review], self.roles)
        if not len(self):
            return one
        at = len(self) if place is None else place

        def joined(ours: NDArray[Any], row: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([ours[:at], row, ours[at:]])

        return Memory(
            self.roles,
            (*self.ticket_keys[:at], review.ticket_key, *self.ticket_keys[at:]),
            joined(self.embeddings, one.embeddings),
            joined(self.labels, one.labels),
            joined(self.trust, one.trust),
            joined(self.rejected, one.rejected),
        )

    def _of(self, rows: Sequence[int]) -> Memory:
        if len(rows) == len(self):
            return self
        return Memory(
            self.roles,
            tuple(self.ticket_keys[i] for i in rows),
            self.embeddings[rows],
            self.labels[rows],
            self.trust[rows],
            self.rejected[rows],
        )


def remember(reviews: Iterable[ReviewedEmbedding], roles: Sequence[str]) -> Memory:
    """Return the memory of `reviews` (oldest first): the latest review of each ticket, those of known roles only."""
    latest: dict[str, ReviewedEmbedding] = {}
    for review in reviews:
        latest.pop(review.ticket_key, None)  # a ticket reviewed again moves to the end
        latest[review.ticket_key] = review
    kept = [review for review in latest.values() if not review.roles or set(review.roles) & set(roles)]
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
    fusion: Fusion,
    *,
    hidden: NDArray[np.bool_] | None = None,
    shown: int = 3,
) -> Recall:
    """Return the memory's evidence on tickets (embeddings: float32[n, dim]), relative to the pool's base rates.

    `hidden` ([n, m]) leaves out reviews per ticket, its own for instance, when weights are fitted. At most `shown`
    neighbours above the similarity floor are named, nearest first.
    """
    count = len(embeddings)
    if not len(memory):
        silence = np.zeros((count, len(memory.roles)))
        return Recall(silence, silence, silence, ((),) * count)
    similarity = np.asarray(embeddings @ memory.embeddings.T, dtype=np.float64)
    silent = ~memory.labels.any(axis=1) if hidden is None else hidden | ~memory.labels.any(axis=1)
    similarity = np.where(silent, -1.0, similarity)
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
    votes = _votes(memory, kernel * memory.trust, fusion)
    return Recall(votes, *_corrections(memory, similarity), named)


def recall_as_filed(memory: Memory, fusion: Fusion, rows: NDArray[np.intp]) -> Recall:
    """Return the memory's evidence on its own tickets (`rows`), from the reviews older than each.

    This is the honest evidence to fit weights on: duplicates of a ticket count as in service, its own review never.
    """
    hidden = np.arange(len(memory))[None, :] >= rows[:, None]
    return recall(memory, memory.embeddings[rows], fusion, hidden=hidden, shown=0)


def _roles(memory: Memory, review: int) -> tuple[str, ...]:
    return tuple(role for role, has in zip(memory.roles, memory.labels[review], strict=True) if has)


def _votes(memory: Memory, kernel: Floats, fusion: Fusion) -> Floats:
    """Return log P(role | neighbours) - log P(role), or of log-odds: the kernel's weights as hits in a Dirichlet."""
    base, labels = fusion.base, memory.labels
    votes = labels if fusion.multi_label else labels / np.maximum(labels.sum(axis=1, keepdims=True), 1.0)
    posterior = (kernel @ votes + DOUBT * base) / (kernel.sum(axis=1, keepdims=True) + DOUBT)
    change: Floats = np.log(posterior) - np.log(base)
    return change - (np.log1p(-posterior) - np.log1p(-base)) if fusion.multi_label else change


def _corrections(memory: Memory, similarity: Floats) -> tuple[Floats, Floats]:
    """Return the corrections from the same text, and the evidence from those of similar texts; float64[n, roles] each.

    Negative for a role that was replaced, positive for the one that was named: shares of the probability,
    -HOLD_BACK to PUT_FORWARD, for the same text; log-odds for similar ones. Each later review that is as near and of
    another role divides this.
    """
    demands, suggestions = np.zeros((2, len(similarity), len(memory.roles)))
    corrected = np.flatnonzero(memory.rejected.any(axis=1))
    order = np.arange(len(memory))
    for row, near in enumerate(similarity):
        for review in corrected[near[corrected] > LESSON_FLOOR]:
            later = memory.trust * (order > review) * (near > near[review] - TIE)
            agreeing = later @ memory.labels
            back = memory.rejected[review] / (1.0 + agreeing)
            forward = memory.labels[review] / memory.labels[review].sum() / (1.0 + later.sum() - agreeing)
            if near[review] >= SAME_TEXT:
                _keep_stronger(demands[row], PUT_FORWARD * forward - HOLD_BACK * back)
            else:
                closeness = min((near[review] - LESSON_FLOOR) / (LESSON_FULL - LESSON_FLOOR), 1.0)
                _keep_stronger(suggestions[row], LESSON * closeness * (forward - back))
    return demands, suggestions


def _keep_stronger(kept: Floats, effect: Floats) -> None:
    kept[:] = np.where(np.abs(effect) > np.abs(kept), effect, kept)


def embed_kept(database: Database, encoder: Encoder, fingerprint: str, examples: Sequence[Example]) -> Embeddings:
    """Return the embeddings of tickets as filed, float32[n, dim]; each is computed once a CLEANER, and kept."""
    made_by = f"{fingerprint}/{CLEANER}"
    known = database.call(tickets.known, made_by, [e.ticket_key for e in examples])
    new = [e for e in examples if e.ticket_key not in known]
    if new:
        vectors = encoder.embed([e.text for e in new])
        fresh = {e.ticket_key: vector for e, vector in zip(new, vectors, strict=True)}
        database.call(tickets.keep, made_by, fresh)
        known |= fresh
    return np.array([known[e.ticket_key] for e in examples], dtype=np.float32).reshape(-1, encoder.dim)
