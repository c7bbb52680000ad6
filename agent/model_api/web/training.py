"""`POST /v1/train` and `/v1/jobs`: jobs are kept before they are acknowledged, and end whatever happens.

The models of all clients may take no more together than the quotas say: how many there are, their room on the disk, and
what waits.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Header, HTTPException, Query
from starlette.requests import Request

from agent.config.settings import ApiSettings
from agent.errors import RolecallError
from agent.model_api.bounds import MAX_OPEN_CHARACTERS
from agent.model_api.job_queue import JobQueue
from agent.model_api.named_models import NamedModels
from agent.model_api.training_request import MODEL_NAME, TrainingRequest, faults
from agent.model_api.web import bodies
from agent.model_api.web.bodies import faulty
from agent.model_api.web.responses import JobResponse, refusals
from agent.packages import TRAINING, missing
from agent.store import jobs
from agent.store.database import Database
from agent.store.tables import ModelJob, utcnow

NOT_ALLOWED = "not one of the base models that the operator allows: {}"
NO_JOB = "there is no such job"
ENDED = "the job has ended already, or another server runs it"
RETRY_AFTER_SECONDS = "60"
MEGABYTE = 1_048_576

Key = Annotated[
    str | None,
    Header(
        max_length=200,
        description="A repeated request with the same key returns the same job instead of starting another.",
    ),
]


class OverQuota(RolecallError):
    """The installation keeps no more models."""


@dataclass(frozen=True, slots=True)
class TrainingRoutes:
    """The endpoints with their collaborators."""

    database: Database
    models: NamedModels
    queue: JobQueue
    settings: ApiSettings

    def add_to(self, router: APIRouter) -> None:
        """Add the routes."""
        add, one = partial(router.add_api_route, tags=["training"]), "/v1/jobs/{job_id}"
        add(
            "/v1/train",
            self.train,
            methods=["POST"],
            response_model=JobResponse,
            responses=refusals(403, 409, 422, 429, 501),
            openapi_extra=bodies.documented(TrainingRequest),
        )
        add("/v1/jobs", self.list_jobs, methods=["GET"], response_model=list[JobResponse])
        add(one, self.get_job, methods=["GET"], response_model=JobResponse, responses=refusals(404))
        add(one, self.cancel_job, methods=["DELETE"], response_model=JobResponse, responses=refusals(404, 409))

    async def train(self, request: Request, idempotency_key: Key = None) -> JobResponse:
        """Start training a classifier and return the job. On completion the new version becomes the active one."""
        if reason := missing(*TRAINING):
            raise HTTPException(501, f"this server does not train: {reason}")
        wanted = await bodies.read(request, TrainingRequest)
        job = await to_thread.run_sync(self._job, wanted, idempotency_key)
        open_names, waiting = await self.database.read(jobs.open_jobs)
        try:
            await to_thread.run_sync(
                check_quotas, self.models, self.settings, job.model_name, open_names, waiting + len(job.request)
            )
            kept = await self.database.write(jobs.add, job, most_open=self.settings.max_open_jobs)
        except jobs.KeyReused:
            raise HTTPException(409, "this Idempotency-Key was used with a different request") from None
        except (jobs.QueueFull, OverQuota) as error:
            headers = {"Retry-After": RETRY_AFTER_SECONDS}
            raise HTTPException(429 if isinstance(error, jobs.QueueFull) else 409, str(error), headers) from None
        self.queue.wake()
        return self._response(kept)

    def _job(self, wanted: TrainingRequest, idempotency_key: str | None) -> ModelJob:
        """Return the job to store for a request. Raises RequestValidationError, ModelNameError."""
        for place, fault in faults(wanted):
            raise faulty(place, fault)
        base_model = wanted.base_model or self.settings.base_models[0]
        if base_model not in self.settings.base_models:
            raise faulty(("base_model",), NOT_ALLOWED.format(", ".join(self.settings.base_models)))
        self.models.for_training(wanted.model_name)
        encoded = msgspec.structs.replace(wanted, base_model=base_model).encoded()
        return ModelJob(
            id=str(uuid.uuid4()),
            model_name=wanted.model_name,
            created_at=utcnow(),
            idempotency_key=idempotency_key,
            digest=hashlib.sha256(encoded).hexdigest(),
            request=encoded.decode(),
        )

    async def list_jobs(
        self,
        model_name: Annotated[str | None, Query(pattern=MODEL_NAME)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[JobResponse]:
        """List training jobs, newest first."""
        return [self._response(job) for job in await self.database.read(jobs.newest, limit, model_name)]

    async def get_job(self, job_id: str) -> JobResponse:
        """Get a training job: its status, its progress while it runs, and the version it made or the error."""
        job = await self.database.read(jobs.get, job_id)
        if job is None:
            raise HTTPException(404, NO_JOB)
        return self._response(job)

    async def cancel_job(self, job_id: str) -> JobResponse:
        """Cancel a pending or running job. It ends as failed, with the error 'cancelled by request'."""
        await self.get_job(job_id)
        if not await self.queue.cancel(job_id):
            raise HTTPException(409, ENDED)
        return await self.get_job(job_id)

    def _response(self, job: ModelJob) -> JobResponse:
        return JobResponse.of(job, self.queue.progress(job.id))


def check_quotas(
    models: NamedModels, settings: ApiSettings, name: str, waiting: Collection[str], characters: int
) -> None:
    """Raise OverQuota where no training of `name` may begin.

    `waiting` are the names that open trainings make; `characters` is how long all open requests are, with this one.
    """
    others = {*models.trained_names(), *waiting} - {name}
    if len(others) >= settings.max_models:
        raise OverQuota(f"there are {len(others)} models, as many as [api] max_models allows: delete one first")
    if characters > MAX_OPEN_CHARACTERS:
        raise OverQuota(f"the requests of open trainings have more than {MAX_OPEN_CHARACTERS} characters: wait for one")
    if (taken := bytes_below(models.folder)) > settings.max_disk_mb * MEGABYTE:
        raise OverQuota(
            f"the models take {taken // MEGABYTE} MB, more than [api] max_disk_mb allows ({settings.max_disk_mb}): "
            "delete models or versions first"
        )


def bytes_below(folder: Path) -> int:
    """Return the size of all files below a folder; one that is deleted meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(place) / name).lstat().st_size
    return total
