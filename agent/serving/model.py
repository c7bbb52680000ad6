"""The role model: an encoder, a linear head and a temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.serving.artefact import Artefact, CorruptArtefact, Head, Manifest, read
from agent.serving.encoder import BODY, Embeddings, Encoder

TEMPERATURE = "temperature"
SMALLEST_PROBABILITY = 1e-6  # a float32 softmax rounds to 0 not far below; its logarithm must stay finite


def probabilities_of(
    logits: NDArray[np.float32], *, multi_label: bool, temperature: float = 1.0
) -> NDArray[np.float32]:
    """Turn logits[n, roles] into probabilities of the same shape.

    Dividing by a temperature fitted on held-out tickets calibrates them (Guo et al. 2017).
    """
    return normalised(logits.astype(np.float64) / temperature, multi_label=multi_label).astype(np.float32)


def normalised(logits: NDArray[np.float64], *, multi_label: bool) -> NDArray[np.float64]:
    """Return the softmax over the roles when a ticket has one role, a sigmoid for each when it may have several."""
    if multi_label:
        sigmoid: NDArray[np.float64] = np.exp(-np.logaddexp(0, -logits))
        return sigmoid
    result: NDArray[np.float64] = np.exp(logits - logits.max(axis=1, keepdims=True))
    result /= result.sum(axis=1, keepdims=True)
    return result


def logits_of(probabilities: NDArray[np.float64], *, multi_label: bool) -> NDArray[np.float64]:
    """Turn probabilities [..., roles] back into logits: logarithms, or log-odds when several roles are possible."""
    likely = np.clip(probabilities, SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY)
    logits: NDArray[np.float64] = np.log(likely)
    return logits - np.log1p(-likely) if multi_label else logits


@dataclass(frozen=True, slots=True)
class RoleModel:
    """A loaded model. Immutable: a new one replaces it, requests under way keep the one that they started with."""

    artefact: Artefact
    encoder: Encoder

    @property
    def manifest(self) -> Manifest:
        """What the model says about itself."""
        return self.artefact.manifest

    @property
    def version(self) -> str:
        """The name of the model folder."""
        return self.manifest.version

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles, in the order of the columns."""
        return self.manifest.roles

    @property
    def head(self) -> Head:
        """The linear classifier."""
        return self.artefact.head

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return float32[n, dim], rows of length one."""
        return self.encoder.embed(texts)

    def logits(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """Return the head's scores, not calibrated: float32[n, roles]."""
        return embeddings @ self.head.weights.T + self.head.bias

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return calibrated probabilities: float32[n, roles]."""
        return self.probabilities_of(self.embed(texts))

    def probabilities_of(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """Return calibrated probabilities for texts that are already embedded: float32[n, roles]."""
        temperature = self.artefact.calibration.get(TEMPERATURE)
        return probabilities_of(
            self.logits(embeddings),
            multi_label=self.manifest.multi_label,
            temperature=1.0 if temperature is None else float(temperature.reshape(-1)[0]),
        )


def load(folder: Path, encoders: Path, *, threads: int = 1) -> RoleModel:
    """Load a model folder; `encoders` is where shared base encoders lie. Raises ArtefactError."""
    artefact = read(folder, encoders)
    try:
        encoder = Encoder.load(artefact.encoder, threads=threads)
    except Exception as error:
        raise CorruptArtefact(folder, f"{BODY} or tokenizer cannot be loaded: {error}") from error
    if encoder.dim != artefact.head.weights.shape[1]:
        reason = f"the encoder gives {encoder.dim} numbers a text, the head takes {artefact.head.weights.shape[1]}"
        raise CorruptArtefact(folder, reason)
    temperature = artefact.calibration.get(TEMPERATURE)
    if temperature is not None and (temperature.size != 1 or temperature.reshape(-1)[0] <= 0):
        raise CorruptArtefact(folder, "the temperature must be one positive number")
    return RoleModel(artefact, encoder)
