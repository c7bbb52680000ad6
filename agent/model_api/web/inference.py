"""`POST /v1/predict` and `POST /v1/embeddings`: one result for each text of a list.

Requests are not held back to be batched together: on a CPU a text costs the same alone, and waiting would only add
latency. Within a request, texts of similar length share a batch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

import numpy as np
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from numpy.typing import NDArray
from pydantic import BaseModel, Field, StringConstraints

from agent.model_api.named_models import NamedModels
from agent.model_api.training_request import ModelName, Text
from agent.model_api.web.responses import EmbeddingsResponse, Prediction, PredictResponse, faulty, refusals
from agent.serving.artefact import VERSION
from agent.serving.loaded import LoadedModels
from agent.serving.model import RoleModel

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
class InferenceRoutes:
    """The inference endpoints. They compute as many requests in parallel as there are cores for their threads."""

    models: NamedModels
    loaded: LoadedModels
    threads: int
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
        """Classify texts. The ticket agent's own model answers alone, without the rules and memory used for tickets."""
        return await to_thread.run_sync(partial(self._predict, request), limiter=self._limiter)

    async def embed(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
        """Return embeddings of texts, computed by the model's own encoder."""
        return await to_thread.run_sync(partial(self._embed, request), limiter=self._limiter)

    def _predict(self, request: PredictRequest) -> PredictResponse:
        model = self._model(request)
        probabilities = model.probabilities(request.texts)
        predictions = [
            prediction(model, text, row, all_scores=request.all_scores)
            for text, row in zip(request.texts, probabilities, strict=True)
        ]
        return PredictResponse(predictions=predictions, model_version=model.version)

    def _embed(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
        model = self._model(request)
        if request.dimensions is not None and request.dimensions > model.encoder.dim:
            raise faulty("dimensions", f"this model's embeddings have {model.encoder.dim}")
        embeddings = shortened(model.embed(request.texts), request.dimensions)
        return EmbeddingsResponse(embeddings=embeddings.tolist(), model_version=model.version)

    def _model(self, request: TextsRequest) -> RoleModel:
        _, registry, manifest = self.models.version(request.model_name, request.version)
        return self.loaded.get(registry.folder(manifest.version))


def prediction(model: RoleModel, text: str, row: NDArray[np.float32], *, all_scores: bool) -> Prediction:
    """Return the prediction for one text from its probabilities, float32[labels]."""
    best = int(row.argmax())
    likely = None
    if model.manifest.multi_label:
        likely = [label for label, score in zip(model.roles, row, strict=True) if score >= 0.5]
    scores = dict(zip(model.roles, row.tolist(), strict=True)) if all_scores else None
    return Prediction(text=text, label=model.roles[best], score=float(row[best]), labels=likely, scores=scores)


def shortened(embeddings: NDArray[np.float32], dimensions: int | None) -> NDArray[np.float32]:
    """Return the first `dimensions` numbers of each row, scaled to length one."""
    if dimensions is None or dimensions == embeddings.shape[1]:
        return embeddings
    kept = embeddings[:, :dimensions]
    lengths = np.linalg.norm(kept, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = kept / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled
