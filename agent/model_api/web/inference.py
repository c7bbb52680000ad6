"""`POST /v1/predict` and `POST /v1/embeddings`: one result for each text of a list.

Requests are not held back to be batched together: on a CPU a text costs the same alone, and waiting would only add
latency. Within a request, texts of similar length share a batch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, TypeAlias

import numpy as np
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from numpy.typing import NDArray
from pydantic import BaseModel, Field, StringConstraints

from agent.model_api.named_models import ROLE_MODEL, NamedModels
from agent.model_api.training_request import ModelName, Text
from agent.model_api.web.responses import EmbeddingsResponse, Prediction, PredictResponse, faulty, refusals
from agent.serving.artefact import VERSION
from agent.serving.loaded import LoadedModels
from agent.serving.model import RoleModel
from agent.text.reading import read

MAX_TEXTS = 1024


class TextsRequest(BaseModel):
    """Texts for a model, given by its name or an alias."""

    model_name: ModelName
    texts: list[Text] = Field(max_length=MAX_TEXTS)
    version: Annotated[str, StringConstraints(pattern=f"^{VERSION}$")] | None = Field(
        default=None, description="The version to use; by default the active one."
    )


class PredictRequest(TextsRequest):
    """Texts to classify."""

    all_scores: bool = False


class EmbeddingsRequest(TextsRequest):
    """Texts to embed."""

    dimensions: int | None = Field(
        default=None,
        ge=1,
        description="Keep only the first N numbers, scaled to unit length again. Use it with base models trained for "
        "it (Matryoshka); with others quality suffers.",
    )


@dataclass(frozen=True, slots=True)
class AgentAnswers:
    """The ticket agent's answers to n texts, by rules, memory and the model together.

    `probabilities`: float64[n, roles]; `suggestions`: whether each is clear, either_or or none.
    """

    version: str
    roles: tuple[str, ...]
    probabilities: NDArray[np.floating]
    suggestions: tuple[str, ...]
    multi_label: bool


AskAgent: TypeAlias = Callable[[Sequence[str]], AgentAnswers | None]
"""Returns None where no model serves."""


@dataclass(frozen=True, slots=True)
class InferenceRoutes:
    """The inference endpoints. They compute as many requests in parallel as there are cores for their threads."""

    models: NamedModels
    loaded: LoadedModels
    threads: int
    agent: AskAgent = lambda texts: None
    _limiter: CapacityLimiter = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_limiter", CapacityLimiter(max(1, (os.cpu_count() or 1) // self.threads)))

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["inference"])
        add, known = router.add_api_route, refusals(404)
        add("/v1/predict", self.predict, methods=["POST"], response_model=PredictResponse, responses=known)
        add("/v1/embeddings", self.embed, methods=["POST"], response_model=EmbeddingsResponse, responses=known)
        return router

    async def predict(self, request: PredictRequest) -> PredictResponse:
        """Classify texts. The ticket agent's own model answers as it answers tickets, with rules and memory.

        Another version of it than the one that serves answers alone.
        """
        return await to_thread.run_sync(partial(self._predict, request), limiter=self._limiter)

    async def embed(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
        """Return embeddings of texts, computed by the model's own encoder."""
        return await to_thread.run_sync(partial(self._embed, request), limiter=self._limiter)

    def _predict(self, request: PredictRequest) -> PredictResponse:
        name, registry, manifest = self.models.version(request.model_name, request.version)
        answers = self.agent(request.texts) if name == ROLE_MODEL and request.texts else None
        if answers is None or request.version not in (None, answers.version):
            model = self.loaded.get(registry.folder(manifest.version))
            probabilities = model.probabilities(self._read(request))
            nothing = (None,) * len(request.texts)
            return response(request, model.version, model.roles, probabilities, nothing, model.manifest.multi_label)
        return response(
            request, answers.version, answers.roles, answers.probabilities, answers.suggestions, answers.multi_label
        )

    def _embed(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
        model = self._model(request)
        if request.dimensions is not None and request.dimensions > model.encoder.dim:
            raise faulty("dimensions", f"this model's embeddings have {model.encoder.dim}")
        embeddings = shortened(model.embed(self._read(request)), request.dimensions)
        return EmbeddingsResponse(embeddings=embeddings.tolist(), model_version=model.version)

    def _read(self, request: TextsRequest) -> list[str]:
        """Return the texts as the model knows them: the ticket agent's own sees what counts of each."""
        name, _, _ = self.models.resolve(request.model_name)
        return [read("", text).text for text in request.texts] if name == ROLE_MODEL else request.texts

    def _model(self, request: TextsRequest) -> RoleModel:
        _, registry, manifest = self.models.version(request.model_name, request.version)
        return self.loaded.get(registry.folder(manifest.version))


def response(
    request: PredictRequest,
    version: str,
    roles: Sequence[str],
    probabilities: NDArray[np.floating],
    suggestions: Sequence[str | None],
    multi_label: bool,
) -> PredictResponse:
    """Return the predictions for the texts of a request from their probabilities, [texts, roles]."""
    predictions = []
    for text, row, suggestion in zip(request.texts, probabilities.tolist(), suggestions, strict=True):
        scores = dict(zip(roles, row, strict=True))
        best = max(scores, key=scores.__getitem__)
        labels = [role for role, score in scores.items() if score >= 0.5] if multi_label else None
        shown = scores if request.all_scores else None
        predictions.append(
            Prediction(text=text, label=best, score=scores[best], labels=labels, scores=shown, suggestion=suggestion)
        )
    return PredictResponse(predictions=predictions, model_version=version)


def shortened(embeddings: NDArray[np.float32], dimensions: int | None) -> NDArray[np.float32]:
    """Return the first `dimensions` numbers of each row, scaled to length one."""
    if dimensions is None or dimensions == embeddings.shape[1]:
        return embeddings
    kept = embeddings[:, :dimensions]
    lengths = np.linalg.norm(kept, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = kept / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled
