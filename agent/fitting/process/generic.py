"""Any other encoder, through sentence-transformers: slower to import, and nothing of it is remembered between steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own convention

from agent.fitting.process.encoder import TrainableEncoder


class SentenceEncoder(TrainableEncoder):
    """A sentence-transformers pipeline; its lower part is only the token ids."""

    depth = 0

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from sentence_transformers import SentenceTransformer

        # eager attention: the others build their masks in ways that a traced graph cannot follow
        options: dict[str, Any] = {"attn_implementation": "eager", "use_safetensors": True}
        self.pipeline = SentenceTransformer(
            str(folder), device="cpu", local_files_only=True, trust_remote_code=False, model_kwargs=options
        )
        dim = self.pipeline.get_embedding_dimension()
        if dim is None:
            raise ValueError(f"{folder}: the pipeline does not say how long its embeddings are")
        self.dim = dim

    def lower(self, input_ids: Tensor, attention_mask: Tensor, until: int) -> Tensor:
        """Return the ids."""
        del attention_mask, until
        return input_ids

    def upper(self, hidden: Tensor, attention_mask: Tensor, since: int, dropout: float = 0.0) -> Tensor:
        """Run the whole pipeline; dropout is that of the model's own configuration."""
        del since, dropout
        features: dict[str, Any] = {"input_ids": hidden, "attention_mask": attention_mask}
        for module in self.pipeline:
            features = module(features)
        return F.normalize(features["sentence_embedding"], dim=-1)

    def tunable(self, frozen_layers: int) -> dict[str, nn.Parameter]:
        """Return the parameters of the blocks from `frozen_layers` on; blocks are the longest list of modules."""
        lists = [(name, module) for name, module in self.named_modules() if isinstance(module, nn.ModuleList)]
        if not lists:
            return dict(self.named_parameters())
        name, blocks = max(lists, key=lambda item: len(item[1]))
        kept = tuple(f"{name}.{number}." for number in range(frozen_layers, len(blocks)))
        return {path: parameter for path, parameter in self.named_parameters() if path.startswith(kept)}
