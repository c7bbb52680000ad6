"""Whether the reviewed tickets like a new one say that none of our roles should handle it."""

from __future__ import annotations

import numpy as np

from agent.triage.memory import DOUBT, NEIGHBOURS, SAME_TEXT, SHARPNESS, SIMILARITY_FLOOR, Embeddings, Memory


def none_of_ours(memory: Memory, embedding: Embeddings, hidden: str | None = None) -> bool:
    """Return whether staff called tickets like this one none of ours. `embedding`: float32[dim], L2-normalised.

    Of the same text the latest review counts; of similar texts, more than half of the weight of the nearest, with the
    same doubt as in `recall`. `hidden` is the key of a ticket whose review is left out.
    """
    outside = memory.labels.sum(axis=1) == 0
    if not outside.any():
        return False
    own = np.array([key == hidden for key in memory.ticket_keys])
    similarity = np.where(own, -1.0, memory.embeddings @ embedding)
    if (same := np.flatnonzero(similarity >= SAME_TEXT)).size:
        return bool(outside[same[-1]])
    nearest = np.argsort(-similarity, kind="stable")[:NEIGHBOURS]
    closeness = np.clip((similarity[nearest] - SIMILARITY_FLOOR) / (1 - SIMILARITY_FLOOR), 0, 1)
    weight = closeness**SHARPNESS * memory.trust[nearest]
    return bool(weight[outside[nearest]].sum() > (weight.sum() + DOUBT) / 2)
