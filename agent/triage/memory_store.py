"""The memory of reviewed tickets, kept up to date: a correction counts at the next ticket, not after the next night.

A review costs one row. Everything is read again only for another encoder, for other roles, after an import, or when
something was forgotten.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.domain import RoleCatalogue
from agent.feedback.accounts import Flood, Given, floods, given
from agent.serving.active import ActiveModel
from agent.serving.model import Encoder, return_freed_memory
from agent.store import tickets
from agent.store.database import Database
from agent.store.tickets import ReviewRow
from agent.triage.evidence import Recall
from agent.triage.fusion import Fusion
from agent.triage.memory import (
    DOUBT,
    NEIGHBOURS,
    SAME_TEXT,
    SHARPNESS,
    SIMILARITY_FLOOR,
    Embeddings,
    Memory,
    embed_kept,
    recall,
    remember,
    reviewed_embeddings,
)
from agent.triage.model import TicketModel

SIZE = 2_000
"""The latest reviews whose tickets are remembered: more would slow every answer and hold old habits."""

MANY = 200
"""New reviews from which reading all of them again is quicker."""

OVERLAP = 100
"""Numbers below the newest that are looked at again: of two servers' reviews the later may be seen first."""


@dataclass(frozen=True, slots=True)
class CurrentMemory:
    """A memory and the frozen encoder that made its embeddings; `fingerprint` is the name of that one's folder.

    `given`: who stands behind each row; `floods`: days on which somebody gave more labels than teach; `silent`: whether
    a row is one of those, bool[m].
    """

    encoder: Encoder
    fingerprint: str
    memory: Memory
    given: tuple[Given, ...]
    floods: tuple[Flood, ...]
    silent: NDArray[np.bool_]

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles, in the order of the memory's columns."""
        return self.memory.roles

    def recall(
        self, text: str, fusion: Fusion, hidden: str | None = None, embeddings: Embeddings | None = None
    ) -> Recall:
        """Return the memory's evidence on a text; `hidden` is the key of a ticket whose review is left out.

        `embeddings`: what the memory's encoder makes of the text, where that is known already.
        """
        silent = self.silent | np.array([key == hidden for key in self.memory.ticket_keys], dtype=bool)
        embeddings = self.encoder.embed([text]) if embeddings is None else embeddings
        outside = len(self.memory) > 0 and none_of_ours(self.memory, embeddings[0], silent)
        memory = in_order(self.memory, fusion.roles)
        return replace(recall(memory, embeddings, fusion, hidden=silent[None]), none_of_ours=(outside,))


@dataclass(frozen=True, slots=True)
class _Followed:
    """How far the reviews were read, for which encoder and roles.

    `seen`: numbers of the reviews that are taken in, those within OVERLAP of the newest; `window`: the latest reviews;
    `places`: of each row of the memory, the review that counts. `forgotten`: of the newest request to forget.
    """

    encoder: str
    roles: tuple[str, ...]
    forgotten: int
    seen: frozenset[int]
    window: tuple[ReviewRow, ...]
    places: tuple[ReviewRow, ...]


class MemoryStore:
    """Follows the reviews in the database. `current` is None without an encoder: a model's, or the one of `use`."""

    def __init__(
        self,
        database: Database,
        active: ActiveModel[TicketModel],
        encoders: Path,
        catalogue: RoleCatalogue,
        size: int = SIZE,
    ) -> None:
        self._database = database
        self._active = active
        self._encoders = encoders
        self.catalogue = catalogue
        self._size = size
        self._followed: _Followed | None = None
        self._following = threading.Lock()
        self._base: str | None = None
        self.current: CurrentMemory | None = None

    @property
    def lacks_encoder(self) -> bool:
        """Whether no model serves that brought an encoder along, and none was given."""
        return self._active.current is None and self._base is None

    def use(self, encoder: str) -> None:
        """Remember with this encoder where no model serves. `encoder` is the name of its folder."""
        self._base = encoder

    def refresh(self) -> bool:
        """Take in new reviews and return whether there were any. Call it off the event loop."""
        model = self._active.current
        encoder = model.manifest.encoder if model is not None else self._base
        if encoder is None:
            return False
        known = model.roles if model is not None else ()
        roles = (*known, *(role for role in self.catalogue.names if role not in known))
        with self._following:
            followed, current = self._followed, self.current
            forgotten = self._database.call(tickets.newest_forgotten)
            basis = encoder, roles, forgotten
            if current is None or followed is None or (followed.encoder, followed.roles, followed.forgotten) != basis:
                self._read_all(*basis)
                return True
            near = self._database.call(tickets.reviews_after, max(followed.seen, default=0) - OVERLAP)
            new = [row for row in near if row.number not in followed.seen]
            if len(new) > MANY:
                self._read_all(*basis)
            elif new:
                self._take_in(new, _numbers(near), followed, current)
            return bool(new)

    def _read_all(self, fingerprint: str, roles: tuple[str, ...], forgotten: int) -> None:
        encoder = self._encoder(fingerprint)
        seen = _numbers(self._database.call(tickets.reviews_after, 0, OVERLAP))
        window = tuple(self._database.call(tickets.latest_reviews, self._size))
        followed = _Followed(fingerprint, roles, forgotten, seen, window, ())
        self._add({row.ticket_key for row in window}, followed, encoder, remember([], roles), [])

    def _take_in(
        self, new: Sequence[ReviewRow], seen: frozenset[int], followed: _Followed, current: CurrentMemory
    ) -> None:
        """Replace the rows of the tickets that were reviewed, and forget those that are no longer among the latest."""
        window = tuple(sorted({*followed.window, *new})[-self._size :])
        among = {row.ticket_key for row in window}
        changed = {row.ticket_key for row in new} | ({row.ticket_key for row in followed.window} - among)
        memory = current.memory
        kept = [row for row, key in enumerate(memory.ticket_keys) if key not in changed]
        followed = replace(followed, seen=seen, window=window, places=tuple(followed.places[row] for row in kept))
        behind = [current.given[row] for row in kept]
        self._add(changed & among, followed, current.encoder, memory.without(changed), behind)

    def _add(
        self,
        ticket_keys: Collection[str],
        followed: _Followed,
        encoder: Encoder,
        memory: Memory,
        behind: list[Given],
    ) -> None:
        """Add the reviews of tickets that are not remembered, each in its place. `behind`: who gave the others."""
        reviewed = self._database.call(tickets.placed, self.catalogue, ticket_keys)
        examples = [example for _, example in reviewed]
        vectors = embed_kept(self._database, encoder, followed.encoder, examples)
        rejected = self._database.call(tickets.rejected, self.catalogue, [e.ticket_key for e in examples])
        places = list(followed.places)
        added = [
            (place, given(example), review)
            for (place, example), review in zip(reviewed, reviewed_embeddings(examples, vectors, rejected), strict=True)
            if memory.takes(review)
        ]
        if len(memory):
            for place, who, review in added:
                row = bisect_left(places, place)
                memory = memory.add(review, row)
                places.insert(row, place)
                behind.insert(row, who)
        else:
            memory = remember([review for *_, review in added], followed.roles)
            places, behind = [place for place, *_ in added], [who for _, who, _ in added]
        found = floods(behind)
        silent = np.isin(np.arange(len(memory)), [row for flood in found for row in flood.rows])
        self.current = CurrentMemory(encoder, followed.encoder, memory, tuple(behind), tuple(found), silent)
        self._followed = replace(followed, places=tuple(places))

    def _encoder(self, fingerprint: str) -> Encoder:
        if self.current is not None and self._followed is not None and self._followed.encoder == fingerprint:
            return self.current.encoder
        model = self._active.current
        if model is not None and not model.manifest.tuned and model.manifest.encoder == fingerprint:
            return model.encoder  # a second one would take a hundred megabytes
        encoder = Encoder.load(self._encoders / fingerprint, lasting=True)
        return_freed_memory()
        return encoder


def _numbers(rows: Iterable[ReviewRow]) -> frozenset[int]:
    numbers = [row.number for row in rows]
    return frozenset(number for number in numbers if number > max(numbers) - OVERLAP)


def in_order(memory: Memory, roles: tuple[str, ...]) -> Memory:
    """Return the memory with these roles as its columns: a new model serves a moment before its memory is read."""
    if memory.roles == roles:
        return memory
    columns = [memory.roles.index(role) if role in memory.roles else len(memory.roles) for role in roles]
    none = np.zeros((len(memory), 1))
    labels, rejected = (np.hstack([each, none])[:, columns] for each in (memory.labels, memory.rejected))
    return replace(memory, roles=roles, labels=labels, rejected=rejected)


def none_of_ours(memory: Memory, embedding: Embeddings, silent: NDArray[np.bool_]) -> bool:
    """Return whether staff called tickets like this one none of ours. `embedding`: float32[dim], L2-normalised.

    Of the same text the latest review counts; of similar texts, more than half of the weight of the nearest, with the
    same doubt as in `recall`. `silent` are the reviews that are left out, bool[m].
    """
    outside = memory.labels.sum(axis=1) == 0
    if not outside.any():
        return False
    similarity = np.where(silent, -1.0, memory.embeddings @ embedding)
    if (same := np.flatnonzero(similarity >= SAME_TEXT)).size:
        return bool(outside[same[-1]])
    nearest = np.argsort(-similarity, kind="stable")[:NEIGHBOURS]
    closeness = np.clip((similarity[nearest] - SIMILARITY_FLOOR) / (1 - SIMILARITY_FLOOR), 0, 1)
    weight = closeness**SHARPNESS * memory.trust[nearest]
    return bool(weight[outside[nearest]].sum() > (weight.sum() + DOUBT) / 2)
