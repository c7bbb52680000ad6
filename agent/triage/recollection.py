"""The memory of reviewed tickets, kept up to date: a correction counts at the next ticket, not after the next night."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.domain import Example
from agent.serving.active import ActiveModel
from agent.serving.encoder import Embeddings, Encoder
from agent.store import embeddings, tickets
from agent.store.database import Database
from agent.triage.memory import Memory, Remembered, remember

SIZE = 2_000
"""The latest reviews whose tickets are remembered: more would slow every answer and hold old habits."""


@dataclass(frozen=True, slots=True)
class Recollected:
    """What can be consulted: the memory and the frozen encoder in whose space it lies."""

    encoder: Encoder
    memory: Memory


class Recollection:
    """Follows the reviews in the database. `current` is None until a model brought the encoder along."""

    def __init__(self, database: Database, active: ActiveModel, encoders: Path, roles: Sequence[str]) -> None:
        self._database = database
        self._active = active
        self._encoders = encoders
        self._roles = tuple(roles)
        self._state: tuple[str, str, int] | None = None
        self._rebuilding = threading.Lock()
        self.current: Recollected | None = None

    def refresh(self) -> bool:
        """Take in new reviews and return whether there were any. Call it off the event loop."""
        model = self._active.current
        if model is None:
            return False
        with self._rebuilding:
            state = (model.manifest.encoder, model.version, self._database.call(tickets.newest_review))
            if state == self._state:
                return False
            encoder = self._encoder(model.manifest.encoder)
            latest = self._database.call(tickets.reviewed, SIZE)
            vectors = embed_kept(self._database, encoder, model.manifest.encoder, latest)
            rejected = self._database.call(tickets.rejected, [e.ticket_key for e in latest])
            remembered = [
                Remembered(e.ticket_key, vector, e.roles, e.strength, rejected.get(e.ticket_key, ()))
                for e, vector in zip(latest, vectors, strict=True)
            ]
            newer = (role for role in self._roles if role not in model.roles)
            self.current = Recollected(encoder, remember(remembered, (*model.roles, *newer)))
            self._state = state
            return True

    def _encoder(self, fingerprint: str) -> Encoder:
        if self.current is not None and self._state is not None and self._state[0] == fingerprint:
            return self.current.encoder
        return Encoder.load(self._encoders / fingerprint)


def embed_kept(database: Database, encoder: Encoder, fingerprint: str, examples: Sequence[Example]) -> Embeddings:
    """Return the embeddings of tickets as filed, float32[n, dim]; each is computed once and kept in the database."""
    known = database.call(embeddings.known, fingerprint, [e.ticket_key for e in examples])
    new = [e for e in examples if e.ticket_key not in known]
    if new:
        vectors = encoder.embed([e.text for e in new])
        fresh = {e.ticket_key: vector for e, vector in zip(new, vectors, strict=True)}
        database.call(embeddings.keep, fingerprint, fresh)
        known |= fresh
    return np.array([known[e.ticket_key] for e in examples], dtype=np.float32).reshape(-1, encoder.dim)
