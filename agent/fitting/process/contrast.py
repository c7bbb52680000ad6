"""What a contrastive step compares: which texts, and how far apart they should be. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LEAST_PER_ROLE = 2  # a text without a partner in its batch teaches only what it is not


def balanced_batches(labels: NDArray[np.float64], size: int, steps: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Yield `steps` batches of row indices with about as many texts of every role, without repeats in a batch.

    labels: 0/1, [texts, roles]. With more than size / 2 roles a batch holds a random part of them. Every role's texts
    are gone through in random order before one is used again.
    """
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(labels[:, role]) for role in range(labels.shape[1])]
    members = [rows for rows in members if len(rows)]
    share = max(LEAST_PER_ROLE, size // len(members))
    waiting: list[list[np.intp]] = [[] for _ in members]
    for _ in range(steps):
        batch: list[np.intp] = []
        for role in random.permutation(len(members))[: max(1, size // share)]:
            skipped: list[np.intp] = []
            wanted = min(share, len(members[role]))
            for _ in range(2 * len(members[role])):
                if wanted == 0:
                    break
                if not waiting[role]:
                    waiting[role] = list(random.permutation(members[role]))
                row = waiting[role].pop()
                if row in batch:
                    skipped.append(row)
                else:
                    batch.append(row)
                    wanted -= 1
            waiting[role].extend(skipped)
        yield np.array(sorted(batch), dtype=np.intp)


def affinity(labels: Tensor) -> Tensor:
    """Return how much two texts should attract each other: float32[n, n], the overlap of their roles (Jaccard).

    1 for the same roles, 0 for none in common; texts with one role each only know these two.
    """
    both = labels @ labels.T
    count = labels.sum(1)
    either = count[:, None] + count[None, :] - both
    return both / either.clamp(min=1)


def contrastive_loss(embeddings: Tensor, attraction: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss over all pairs (Khosla et al. 2020, L_out), a scalar.

    embeddings: [n, dim], rows of length one; attraction: [n, n] weights of the positive pairs. A text without a
    partner is no anchor (the loss would divide by zero) but still pushes others away.
    """
    itself = torch.eye(len(embeddings), dtype=torch.bool)
    similarity = (embeddings @ embeddings.T / temperature).masked_fill(itself, -torch.inf)
    log_share = (similarity - similarity.logsumexp(1, keepdim=True)).masked_fill(itself, 0.0)
    pull = attraction.masked_fill(itself, 0.0)
    total = pull.sum(1)
    anchors = total > 0
    if not anchors.any():
        return embeddings.sum() * 0.0
    return -((pull * log_share).sum(1)[anchors] / total[anchors]).mean()
