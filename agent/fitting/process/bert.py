"""A BERT encoder in plain torch whose lower layers can be run once and remembered.

Parameters carry the names of the Hugging Face checkpoints (`encoder.layer.0.attention.self.query.weight`), so that a
safetensors file loads without translation and an exported graph can be refilled by name. Plain torch because
importing sentence-transformers costs about four CPU seconds and 300 MB, more than a whole fit on short tickets.
Architecture: Devlin et al. 2019, post-layer-norm; pooling as in Reimers & Gurevych 2019.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own convention

from agent.fitting.process.encoder import TrainableEncoder


@dataclass(frozen=True, slots=True)
class BertShape:
    """The part of a checkpoint's config.json that decides the shapes."""

    vocabulary: int
    positions: int
    token_types: int
    dim: int
    heads: int
    inner: int
    layers: int
    norm_eps: float
    pooling: str  # "mean" or "cls"

    @classmethod
    def of(cls, config: Mapping[str, Any], pooling: str) -> BertShape:
        """Read a Hugging Face `config.json` of model_type bert."""
        return cls(
            vocabulary=config["vocab_size"],
            positions=config["max_position_embeddings"],
            token_types=config["type_vocab_size"],
            dim=config["hidden_size"],
            heads=config["num_attention_heads"],
            inner=config["intermediate_size"],
            layers=config["num_hidden_layers"],
            norm_eps=config["layer_norm_eps"],
            pooling=pooling,
        )


class Residual(nn.Module):
    """Project, drop out, add the input, normalise."""

    def __init__(self, width: int, shape: BertShape) -> None:
        super().__init__()
        self.dense = nn.Linear(width, shape.dim)
        self.LayerNorm = nn.LayerNorm(shape.dim, eps=shape.norm_eps)

    def forward(self, hidden: Tensor, residual: Tensor, dropout: float) -> Tensor:
        """Map [batch, tokens, width] and the residual [batch, tokens, dim] to [batch, tokens, dim]."""
        projected = F.dropout(self.dense(hidden), dropout, self.training)
        normed: Tensor = self.LayerNorm(projected + residual)
        return normed


class Layer(nn.Module):
    """One transformer block: self-attention, then the feed-forward network."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.divisor = math.sqrt(shape.dim // shape.heads)
        self.attention = nn.ModuleDict(
            {
                "self": nn.ModuleDict({name: nn.Linear(shape.dim, shape.dim) for name in ("query", "key", "value")}),
                "output": Residual(shape.dim, shape),
            }
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(shape.dim, shape.inner)})
        self.output = Residual(shape.inner, shape)

    def forward(self, hidden: Tensor, bias: Tensor, dropout: float) -> Tensor:
        """Map [batch, tokens, dim] to the same shape; `bias` [batch, 1, 1, tokens] is -inf-like on padding."""
        projections = self.attention["self"]
        assert isinstance(projections, nn.ModuleDict)  # noqa: S101 - for the type checker
        query, key, value = (self._split(projections[name](hidden)) for name in ("query", "key", "value"))
        scores = query @ key.transpose(-1, -2) / self.divisor + bias
        weights = F.dropout(scores.softmax(-1), dropout, self.training)
        context = (weights @ value).transpose(1, 2).flatten(2)
        hidden = self.attention["output"](context, hidden, dropout)
        inner = F.gelu(self.intermediate["dense"](hidden))
        result: Tensor = self.output(inner, hidden, dropout)
        return result

    def _split(self, projected: Tensor) -> Tensor:
        texts, tokens, dim = projected.shape
        return projected.view(texts, tokens, self.heads, dim // self.heads).transpose(1, 2)


def _table(rows: int, dim: int) -> nn.Embedding:
    weights = torch.empty(rows, dim)
    # a normal distribution without numbers is drawn by torch's compiler, which takes 70 MB and a second to import
    drawn = weights if weights.is_meta else weights.normal_()
    table: nn.Embedding = nn.Embedding.from_pretrained(drawn, freeze=False)  # type: ignore[no-untyped-call]
    return table


class Bert(TrainableEncoder):
    """Token ids to one normalised embedding per text."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.shape, self.dim, self.depth = shape, shape.dim, shape.layers
        self.embeddings = nn.ModuleDict(
            {
                "word_embeddings": _table(shape.vocabulary, shape.dim),
                "position_embeddings": _table(shape.positions, shape.dim),
                "token_type_embeddings": _table(shape.token_types, shape.dim),
                "LayerNorm": nn.LayerNorm(shape.dim, eps=shape.norm_eps),
            }
        )
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(Layer(shape) for _ in range(shape.layers))})

    def layers(self) -> nn.ModuleList:
        """Return the transformer blocks, lowest first."""
        blocks = self.encoder["layer"]
        assert isinstance(blocks, nn.ModuleList)  # noqa: S101 - for the type checker
        return blocks

    def lower(self, input_ids: Tensor, attention_mask: Tensor, until: int) -> Tensor:
        """Run the embeddings and the first `until` blocks without dropout: [batch, tokens, dim]."""
        tables = self.embeddings
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)
        hidden = tables["word_embeddings"](input_ids) + tables["position_embeddings"](positions)
        hidden = tables["LayerNorm"](hidden + tables["token_type_embeddings"](torch.zeros_like(input_ids)))
        return self._blocks(hidden, attention_mask, 0, until, dropout=0.0)

    def upper(self, hidden: Tensor, attention_mask: Tensor, since: int, dropout: float = 0.0) -> Tensor:
        """Run the remaining blocks, pool and normalise: [batch, dim], rows of length one."""
        hidden = self._blocks(hidden, attention_mask, since, self.shape.layers, dropout)
        if self.shape.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
        return F.normalize(pooled, dim=-1)

    def tunable(self, frozen_layers: int) -> dict[str, nn.Parameter]:
        """Return the parameters of the blocks from `frozen_layers` on."""
        upper = tuple(f"encoder.layer.{number}." for number in range(frozen_layers, self.depth))
        return {name: parameter for name, parameter in self.named_parameters() if name.startswith(upper)}

    def keep_upper(self, since: int) -> None:
        """Keep the blocks from `since` on, which pooling adds nothing to, as copies: the file is mapped as a whole."""
        kept = self.tunable(since)
        for name, parameter in self.named_parameters():
            parameter.data = parameter.data.clone() if name in kept else torch.empty(0)

    def _blocks(self, hidden: Tensor, attention_mask: Tensor, since: int, until: int, dropout: float) -> Tensor:
        bias = (1.0 - attention_mask[:, None, None, :].to(hidden.dtype)) * torch.finfo(hidden.dtype).min
        for block in list(self.layers())[since:until]:
            hidden = block(hidden, bias, dropout)
        return hidden
