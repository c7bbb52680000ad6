"""Run the frozen lower layers once for every text, and the upper ones as often as needed, without wasted padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from agent.fitting.process.base import Base
from agent.serving.model import Embeddings, batches_by_length

TEXTS_PER_RUN = 64
TOKENS_PER_RUN = 2048


def lower_outputs(base: Base, texts: Sequence[str], layers: int, report: Callable[[int], None]) -> list[Tensor]:
    """Return what the embeddings and the first `layers` blocks make of every text: float32[tokens, dim] each.

    Computed without dropout and without gradients, so it is the same in every step. `report` hears how many are done.
    """
    encodings = base.tokenizer.encode_batch(list(texts))
    rows = [torch.tensor(encoding.ids[: sum(encoding.attention_mask)]) for encoding in encodings]
    outputs: list[Tensor] = [torch.empty(0)] * len(rows)
    done = 0
    base.body.eval()
    with torch.no_grad():  # not inference_mode: tuning needs to save these for its backward pass
        for batch in batches_by_length([len(row) for row in rows], TEXTS_PER_RUN, TOKENS_PER_RUN):
            ids, mask = padded([rows[index] for index in batch])
            hidden = base.body.lower(ids, mask, layers)
            for place, index in enumerate(batch):
                outputs[index] = hidden[place, : len(rows[index])].clone()
            done += len(batch)
            report(done)
    return outputs


def padded(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Stack rows of different lengths: [n, longest, ...] with zeros, and the mask int64[n, longest] of what is real."""
    lengths = torch.tensor([len(row) for row in rows])
    mask = (torch.arange(int(lengths.max()))[None, :] < lengths[:, None]).long()
    return pad_sequence(list(rows), batch_first=True), mask


def upper_embeddings(base: Base, outputs: Sequence[Tensor], layers: int) -> Embeddings:
    """Return the embeddings of texts whose lower outputs are known: float32[n, dim], rows of length one."""
    base.body.eval()
    embeddings = np.empty((len(outputs), base.body.dim), dtype=np.float32)
    with torch.inference_mode():
        for batch in batches_by_length([len(row) for row in outputs], TEXTS_PER_RUN, TOKENS_PER_RUN):
            hidden, mask = padded([outputs[index] for index in batch])
            embeddings[batch] = base.body.upper(hidden, mask, layers).numpy()
    return embeddings
