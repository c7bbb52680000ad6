"""Open a base encoder in torch, and run its frozen lower layers once for every text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from agent.fitting.process.bert import Bert, BertShape
from agent.fitting.process.encoder import TrainableEncoder
from agent.fitting.process.generic import SentenceEncoder
from agent.fitting.process.source import WEIGHTS, Source, UnusableBaseModel, read_source
from agent.serving.model import Embeddings, batches_by_length, return_freed_memory

PIPELINE_PREFIX = "pipeline.0.model."  # of SentenceEncoder's parameters


@dataclass(frozen=True, slots=True)
class Base:
    """An open base encoder; `fingerprint` names its weights, tokenizer, pooling and truncation together."""

    body: TrainableEncoder
    tokenizer: Tokenizer
    max_tokens: int
    fingerprint: str


def open_base(folder: Path, max_tokens: int) -> Base:
    """Open the encoder in a folder; see `read_source`."""
    return load_base(read_source(folder, max_tokens))


def load_base(source: Source) -> Base:
    """Load the weights. Raises UnusableBaseModel when tensors and architecture disagree."""
    is_bert = source.config.get("model_type") == "bert"
    body = _bert(source.folder, source.config, source.pooling) if is_bert else SentenceEncoder(source.folder)
    body.eval()
    return Base(body, source.tokenizer, source.max_tokens, source.fingerprint)


def _bert(folder: Path, config: dict[str, Any], pooling: str) -> Bert:
    with torch.device("meta"):  # the checkpoint brings the numbers: drawing random ones first takes half a second
        body = Bert(BertShape.of(config, pooling))
    load_weights(body, load_file(folder / WEIGHTS))
    return body


def load_weights(body: TrainableEncoder, tensors: dict[str, torch.Tensor]) -> None:
    """Fill `body` from checkpoint tensors, whatever prefixes and extras either has.

    Raises UnusableBaseModel when a parameter is missing or has another shape.
    """
    expected = body.state_dict()
    found = {name.removeprefix("bert."): tensor for name, tensor in tensors.items()}
    wanted = {name: name.removeprefix(PIPELINE_PREFIX) for name in expected}
    wrong = [name for name, short in wanted.items() if short not in found or found[short].shape != expected[name].shape]
    if wrong:
        raise UnusableBaseModel(f"{len(wrong)} tensors missing or of another shape, first {wrong[0]}")
    body.load_state_dict({name: found[short].float() for name, short in wanted.items()}, assign=True)


TEXTS_PER_RUN = 64
TOKENS_PER_RUN = 2048


def lower_outputs(base: Base, texts: Sequence[str], layers: int, report: Callable[[int], None]) -> list[Tensor]:
    """Return what the embeddings and the first `layers` blocks make of every text: float32[tokens, dim] each.

    Computed without dropout and without gradients, so it is the same in every step. `report` hears how many are done.
    """
    encodings = base.tokenizer.encode_batch(list(texts))
    rows = [torch.tensor(each.ids[: sum(each.attention_mask)], dtype=torch.long) for each in encodings]
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
    return_freed_memory()  # the next step of tuning needs pieces of other sizes
    return embeddings
