"""What the trainer needs of an encoder: run in two parts, and say which parameters may learn."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn


class TrainableEncoder(nn.Module):
    """An encoder cut in two: a lower part that is run once for every text, an upper part that learns."""

    dim: int
    depth: int
    """Blocks that can be frozen with their output remembered."""

    @abstractmethod
    def lower(self, input_ids: Tensor, attention_mask: Tensor, until: int) -> Tensor:
        """Run the part below block `until`, without dropout: [texts, tokens, ...], what `upper` takes."""

    @abstractmethod
    def upper(self, hidden: Tensor, attention_mask: Tensor, since: int, dropout: float = 0.0) -> Tensor:
        """Run the part from block `since` on, pool and normalise: [texts, dim], rows of length one."""

    @abstractmethod
    def tunable(self, frozen_layers: int) -> dict[str, nn.Parameter]:
        """Return the parameters above the first `frozen_layers` blocks, by their names in the whole encoder."""

    def keep_upper(self, since: int) -> None:
        """Drop the weights that `upper` can do without from block `since` on; here, none."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map int64[texts, tokens] ids and mask to float32[texts, dim]."""
        return self.upper(self.lower(input_ids, attention_mask, 0), attention_mask, 0)
