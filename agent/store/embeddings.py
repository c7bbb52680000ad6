"""Embeddings of tickets as filed, by the encoder that made them: float32 vectors, kept as bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from agent.store.tables import Embedding

Vector = NDArray[np.float32]

CHUNK = 500
"""Keys per query: SQLite takes a limited number of parameters."""


def known(session: Session, encoder: str, keys: Sequence[str]) -> dict[str, Vector]:
    """Return the kept embeddings of these tickets, float32[dim] by ticket key."""
    found: dict[str, Vector] = {}
    for start in range(0, len(keys), CHUNK):
        wanted = col(Embedding.ticket_key).in_(keys[start : start + CHUNK])
        for row in session.exec(select(Embedding).where(Embedding.encoder == encoder, wanted)):
            found[row.ticket_key] = np.frombuffer(row.vector, dtype=np.float32)
    return found


def keep(session: Session, encoder: str, vectors: Mapping[str, Vector]) -> None:
    """Keep embeddings that are not kept yet."""
    for key, vector in vectors.items():
        session.merge(Embedding(ticket_key=key, encoder=encoder, vector=vector.astype(np.float32).tobytes()))
