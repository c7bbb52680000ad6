"""`/v1/models` and `/v1/aliases`: list, activate, roll back and delete models, versions and aliases."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Path
from starlette.requests import Request

from agent.model_api.job_queue import JobQueue
from agent.model_api.named_models import ROLE_MODEL, NamedModels
from agent.model_api.training_request import MODEL_NAME, ModelName
from agent.model_api.web import bodies
from agent.model_api.web.responses import AliasResponse, ModelResponse, refusals
from agent.serving.artefact import VERSION

Name = Annotated[str, Path(pattern=MODEL_NAME)]
Version = Annotated[str, Path(pattern=f"^{VERSION}$")]

BY_CLIENT = "by a client of the model API"


class AliasRequest(msgspec.Struct, frozen=True):
    """The model that an alias refers to."""

    model_name: ModelName


@dataclass(frozen=True, slots=True)
class ModelRoutes:
    """The endpoints for models and aliases."""

    models: NamedModels
    queue: JobQueue

    def add_to(self, router: APIRouter) -> None:
        """Add the routes."""
        known, changing = refusals(404), refusals(403, 404, 409)
        add = partial(router.add_api_route, tags=["models"])
        one, version = "/v1/models/{name}", "/v1/models/{name}/versions/{version}"
        add("/v1/models", self.list_models, methods=["GET"], response_model=list[ModelResponse])
        add(one, self.get_model, methods=["GET"], response_model=ModelResponse, responses=known)
        add(one, self.delete_model, methods=["DELETE"], status_code=204, responses=changing)
        add(f"{one}/versions", self.list_versions, methods=["GET"], response_model=list[ModelResponse], responses=known)
        add(version, self.get_version, methods=["GET"], response_model=ModelResponse, responses=known)
        add(version, self.delete_version, methods=["DELETE"], status_code=204, responses=changing)
        add(
            f"{version}/activate",
            self.activate_version,
            methods=["POST"],
            response_model=ModelResponse,
            responses=changing,
        )
        add(f"{one}/rollback", self.roll_back_model, methods=["POST"], response_model=ModelResponse, responses=changing)
        add("/v1/aliases", self.list_aliases, methods=["GET"], response_model=list[AliasResponse])
        add(
            "/v1/aliases/{name}",
            self.set_alias,
            methods=["PUT"],
            response_model=AliasResponse,
            responses=changing,
            openapi_extra=bodies.documented(AliasRequest),
        )
        add("/v1/aliases/{name}", self.delete_alias, methods=["DELETE"], status_code=204, responses=known)

    async def list_models(self) -> list[ModelResponse]:
        """List all models, each with its active version."""
        return await to_thread.run_sync(lambda: [self._about(name) for name in self.models.names()])

    async def get_model(self, name: Name) -> ModelResponse:
        """Get the active version, its training parameters and quality."""
        return await to_thread.run_sync(self._about, name)

    async def list_versions(self, name: Name) -> list[ModelResponse]:
        """List all versions of a model, oldest first."""
        return await to_thread.run_sync(self._all_versions, name)

    async def get_version(self, name: Name, version: Version) -> ModelResponse:
        """Get one version, its training parameters and quality."""
        return await to_thread.run_sync(self._about, name, version)

    async def activate_version(self, name: Name, version: Version) -> ModelResponse:
        """Activate a version: requests that name no version use it from now on."""

        def move() -> ModelResponse:
            self.models.changeable(self.models.resolve(name)[0])
            _, registry, manifest = self.models.version(name, version)
            registry.activate(manifest.version, BY_CLIENT)
            return self._about(name)

        return await to_thread.run_sync(move)

    async def roll_back_model(self, name: Name) -> ModelResponse:
        """Roll back to the version that was active before."""

        def move() -> ModelResponse:
            self.models.changeable(self.models.resolve(name)[0]).rollback(BY_CLIENT)
            return self._about(name)

        return await to_thread.run_sync(move)

    async def delete_model(self, name: Name) -> None:
        """Delete a model with all its versions and aliases. A training under way for it is cancelled."""
        await to_thread.run_sync(self.models.existing, name)
        await self.queue.cancel_all(name)
        await to_thread.run_sync(self.models.delete, name)

    async def delete_version(self, name: Name, version: Version) -> None:
        """Delete a version that is not active."""
        await to_thread.run_sync(self.models.delete_version, name, version)

    async def list_aliases(self) -> list[AliasResponse]:
        """List all aliases with the models they refer to."""
        found = await to_thread.run_sync(self.models.aliases)
        return [AliasResponse(alias=alias, model_name=name) for alias, name in sorted(found.items())]

    async def set_alias(self, name: Name, request: Request) -> AliasResponse:
        """Create an alias for a model, or point it to another model. Takes effect at once for all clients."""
        wanted = await bodies.read(request, AliasRequest)
        await to_thread.run_sync(self.models.set_alias, name, wanted.model_name)
        return AliasResponse(alias=name, model_name=(await to_thread.run_sync(self.models.aliases))[name])

    async def delete_alias(self, name: Name) -> None:
        """Delete an alias. The model is kept."""
        await to_thread.run_sync(self.models.delete_alias, name)

    def _about(self, name: str, version: str | None = None) -> ModelResponse:
        real, registry, manifest = self.models.version(name, version)
        pointer = registry.active()
        active = pointer is not None and pointer.version == manifest.version
        return ModelResponse.of(real, manifest, active=active, protected=real == ROLE_MODEL)

    def _all_versions(self, name: str) -> list[ModelResponse]:
        real, registry, pointer = self.models.resolve(name)
        protected = real == ROLE_MODEL
        return [
            ModelResponse.of(real, manifest, active=manifest.version == pointer.version, protected=protected)
            for manifest in registry.versions()
        ]
