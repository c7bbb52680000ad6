"""Assemble the model API: routes, offline documentation, and one place that maps errors to HTTP statuses.

| answer | when |
|---|---|
| 401, 408, 413 | no key, or too slow or too large a body (agent.model_api.web.access) |
| 400, 422 | the body is no JSON, or not the documented one |
| 403 | the ticket agent's own model cannot be changed here |
| 404, 409 | there is no such model, version, alias or job, or it is in use |
| 503 | a model's files are damaged, or the database cannot be used now (with `Retry-After`); the answer says which |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from fastapi import APIRouter, FastAPI, Security
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader
from fastapi_offline import FastAPIOffline
from starlette.requests import Request
from starlette.responses import Response

from agent.config.settings import ApiSettings
from agent.errors import NotPossibleYet
from agent.model_api.bounds import MAX_FAULTS, MAX_REASON
from agent.model_api.keys import Keys
from agent.model_api.named_models import NameTaken, ProtectedModel, UnknownModel
from agent.model_api.web import docs
from agent.model_api.web.access import HEADER, AccessMiddleware, refusal
from agent.model_api.web.bodies import NAMES
from agent.model_api.web.inference import InferenceRoutes
from agent.model_api.web.models import ModelRoutes
from agent.model_api.web.responses import HealthResponse, refusals
from agent.model_api.web.training import TrainingRoutes
from agent.serving.artefact import ArtefactError
from agent.serving.registry import BrokenPointer
from agent.store.database import UNUSABLE

STATUSES: dict[type[Exception], int] = {
    ProtectedModel: 403,
    UnknownModel: 404,
    NameTaken: 409,
    NotPossibleYet: 409,
    ArtefactError: 503,
    BrokenPointer: 503,
}
GUARDED = (400, 401, 408, 413, 503)

SENTENCES = {
    "int_parsing": "a whole number is expected",
    "greater_than_equal": "at least {ge} is needed",
    "less_than_equal": "at most {le} is possible",
    "string_too_long": "at most {max_length} characters are expected",
    "string_pattern_mismatch": f"a name is expected: {NAMES}",
}
"""What the framework reports of headers and addresses; bodies have sentences of their own (web.bodies)."""

DESCRIPTION = """
Train text classifiers from a few examples, and use them. Scores are calibrated probabilities; quality is measured on
texts that a model was not trained on, with 95 % confidence intervals.
"""


def create_api(
    keys: Keys, training: TrainingRoutes, models: ModelRoutes, inference: InferenceRoutes, limits: ApiSettings
) -> FastAPI:
    """Return the application that serves /health, /v1/..., /docs and /openapi.json."""
    api = FastAPIOffline(
        title="Rolecall model API",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": "."}],  # beside this description, whatever path a proxy has put before
        generate_unique_id_function=operation_id,
    )  # its page has a script that no policy of ours would run: ours takes its place
    api.add_middleware(AccessMiddleware, keys=keys, limits=limits)
    for path, answer in inference.paths().items():  # found first, and called without what FastAPI does for each request
        api.add_route(path, answer, methods=["POST"], include_in_schema=False)
    # AccessMiddleware has checked the key; this describes it in the documentation
    described = Security(APIKeyHeader(name=HEADER, auto_error=False))
    guarded = APIRouter(
        dependencies=[described], responses=refusals(*GUARDED), generate_unique_id_function=operation_id
    )
    for routes in (training, models, inference):
        routes.add_to(guarded)
    api.router.routes += guarded.routes  # not included: every route would be made once more
    api.add_route(docs.PATH, docs.documentation, include_in_schema=False)
    api.add_api_route("/health", health, methods=["GET"], response_model=HealthResponse, tags=["health"])
    api.add_api_route("/health", health, methods=["HEAD"], include_in_schema=False)
    for error, status in STATUSES.items():
        api.add_exception_handler(error, _responder(status))
    for unusable in UNUSABLE:
        api.add_exception_handler(unusable, unavailable)
    api.add_exception_handler(RequestValidationError, invalid)
    return api


def operation_id(route: APIRoute) -> str:
    """Return the name of the endpoint: generated clients call their methods by it."""
    return route.name


async def health() -> HealthResponse:
    """Report that the server is running. Needs no key."""
    return HealthResponse()


async def invalid(_request: Request, error: Exception) -> Response:
    """Return the first faults of a request, without its values: they may hold ticket texts, or be megabytes long."""
    faults = error.errors() if isinstance(error, RequestValidationError) else ()
    return refusal(
        422,
        [
            {"loc": list(fault["loc"]), "msg": sentence(fault)[:MAX_REASON], "type": fault["type"]}
            for fault in islice(faults, MAX_FAULTS)
        ],
    )


def sentence(fault: Mapping[str, Any]) -> str:
    """Return what is wrong with a header or a part of an address, in our words as far as there are any."""
    return SENTENCES.get(fault["type"], "{msg}").format(msg=fault["msg"], **fault.get("ctx", {}))


async def unavailable(_request: Request, _error: Exception) -> Response:
    """Return 503 with Retry-After, without the error's text: it holds SQL statements and values."""
    return refusal(503, "the database cannot be used now", {"Retry-After": "5"})


def _responder(status: int) -> Callable[[Request, Exception], Response]:
    def respond(_request: Request, error: Exception) -> Response:
        return refusal(status, str(error))

    return respond
