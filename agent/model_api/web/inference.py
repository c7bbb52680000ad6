"""`POST /v1/predict` and `POST /v1/embeddings`: one result for each text of a list.

Requests are not held back to be batched together: on a CPU a text costs the same alone, and waiting would only add
latency. Within a request, texts of similar length share a batch.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, TypeAlias

import msgspec
import numpy as np
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from msgspec import Meta
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from agent.model_api.bounds import MAX_SCORES, MAX_TEXT, MAX_TEXTS
from agent.model_api.named_models import ROLE_MODEL, NamedModels
from agent.model_api.training_request import ModelName, whole_line
from agent.model_api.web import answers, bodies
from agent.model_api.web.bodies import faulty
from agent.model_api.web.responses import EmbeddingsResponse, PredictResponse, refusals
from agent.serving.artefact import VERSION
from agent.serving.loaded import LoadedModels
from agent.text.reading import read

Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Version = Annotated[
    str, Meta(pattern=whole_line(f"^{VERSION}$"), description="The version to use; by default the active one.")
]


class TextsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Texts for a model, given by its name or an alias."""

    model_name: ModelName
    texts: Annotated[list[Text], Meta(max_length=MAX_TEXTS)]
    version: Version | None = None


class PredictRequest(TextsRequest, frozen=True, kw_only=True):
    """Texts to classify. `all_scores`: name the score of each label, too."""

    all_scores: bool = False


class EmbeddingsRequest(TextsRequest, frozen=True, kw_only=True):
    """Texts to embed."""

    dimensions: (
        Annotated[
            int,
            Meta(
                ge=1,
                description="Keep only the first N numbers, scaled to unit length again. Use it with base models "
                "trained for it (Matryoshka); with others quality suffers.",
            ),
        ]
        | None
    ) = None


@dataclass(frozen=True, slots=True)
class AgentAnswers:
    """The ticket agent's answers to n texts, by rules, memory and the model together.

    `probabilities`: float64[n, roles]; `suggestions`: whether each is clear, either_or or none.
    """

    version: str
    roles: tuple[str, ...]
    probabilities: NDArray[np.floating]
    suggestions: Sequence[str | None]
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
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_limiter", CapacityLimiter(max(1, (os.cpu_count() or 1) // self.threads)))

    def paths(self) -> dict[str, Callable[[Request], Awaitable[Response]]]:
        """Return what answers, by its path."""
        return {"/v1/predict": self.answer_predict, "/v1/embeddings": self.answer_embed}

    def add_to(self, router: APIRouter) -> None:
        """Add the routes as they are documented; see `paths`."""
        add, known = partial(router.add_api_route, tags=["inference"]), refusals(404, 422, 429)
        add(
            "/v1/predict",
            self.answer_predict,
            name="predict",
            methods=["POST"],
            response_model=PredictResponse,
            responses=known,
            openapi_extra=bodies.documented(PredictRequest),
        )
        add(
            "/v1/embeddings",
            self.answer_embed,
            name="embed",
            methods=["POST"],
            response_model=EmbeddingsResponse,
            responses=known,
            openapi_extra=bodies.documented(EmbeddingsRequest),
        )

    async def answer_predict(self, request: Request) -> Response:
        """Classify texts. The ticket agent's own model answers as it answers tickets, with rules and memory.

        Another version of it than the one that serves answers alone.
        """
        asked = await bodies.read(request, PredictRequest)
        return answers.sent(await self.predict(asked), self._writing)

    async def answer_embed(self, request: Request) -> Response:
        """Return embeddings of texts, computed by the model's own encoder."""
        asked = await bodies.read(request, EmbeddingsRequest)
        return answers.sent(await self.embed(asked), self._writing)

    async def predict(self, request: PredictRequest) -> answers.Predictions:
        """Return the predictions. Raises RequestValidationError where the answer would be too long."""
        return await to_thread.run_sync(partial(self._predict, request), limiter=self._limiter)

    async def embed(self, request: EmbeddingsRequest) -> answers.Embeddings:
        """Return the embeddings. Raises RequestValidationError where the model's have fewer dimensions."""
        return await to_thread.run_sync(partial(self._embed, request), limiter=self._limiter)

    def _predict(self, request: PredictRequest) -> answers.Predictions:
        name, registry, manifest = self.models.version(request.model_name, request.version)
        if request.all_scores or manifest.multi_label:
            bounded(len(request.texts), len(manifest.roles))
        found = self.agent(request.texts) if name == ROLE_MODEL and request.texts else None
        if found is None or request.version not in (None, found.version):
            model = self.loaded.get(registry.folder(manifest.version))
            probabilities = model.probabilities(_read(name, request))
            nothing = (None,) * len(request.texts)
            found = AgentAnswers(model.version, model.roles, probabilities, nothing, model.manifest.multi_label)
        return answers.Predictions(
            request.texts, found.version, found.roles, found.probabilities, found.suggestions, found.multi_label,
            request.all_scores,
        )  # fmt: skip

    def _embed(self, request: EmbeddingsRequest) -> answers.Embeddings:
        name, registry, manifest = self.models.version(request.model_name, request.version)
        model = self.loaded.get(registry.folder(manifest.version))
        if request.dimensions is not None and request.dimensions > model.encoder.dim:
            raise faulty(("dimensions",), f"this model's embeddings have {model.encoder.dim}")
        return answers.Embeddings(shortened(model.embed(_read(name, request)), request.dimensions), model.version)


def _read(name: str, request: TextsRequest) -> list[str]:
    """Return the texts as the model of this name knows them: the ticket agent's own sees what counts of each."""
    return [read("", text).text for text in request.texts] if name == ROLE_MODEL else request.texts


def bounded(texts: int, labels: int) -> None:
    """Raise RequestValidationError where the scores of all labels would make too long an answer."""
    if texts * labels > MAX_SCORES:
        most = MAX_SCORES // labels
        raise faulty(("texts",), f"the scores of {labels} labels can be asked for at most {most} texts at a time")


def shortened(embeddings: NDArray[np.float32], dimensions: int | None) -> NDArray[np.float32]:
    """Return the first `dimensions` numbers of each row, scaled to length one."""
    if dimensions is None or dimensions == embeddings.shape[1]:
        return embeddings
    kept = embeddings[:, :dimensions]
    lengths = np.linalg.norm(kept, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = kept / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled
