"""Build the model API from its settings: the part of the composition root that only it needs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

from fastapi import FastAPI
from pydantic import SecretStr

from agent.config.settings import ApiSettings
from agent.data_directory import DataDirectory
from agent.fitting.child import Limits
from agent.model_api.job_queue import JobQueue
from agent.model_api.keys import Keys
from agent.model_api.named_models import NamedModels
from agent.model_api.web.app import create_api
from agent.model_api.web.inference import AskAgent, InferenceRoutes
from agent.model_api.web.models import ModelRoutes
from agent.model_api.web.training import TrainingRoutes
from agent.packages import TRAINING, missing
from agent.serving.loaded import LoadedModels
from agent.store.database import Database


def model_api(
    settings: ApiSettings,
    directory: DataDirectory,
    database: Database,
    key: Callable[[], SecretStr | None],
    keep_versions: int,
    agent: AskAgent = lambda texts: None,
) -> tuple[JobQueue, Callable[[], FastAPI]]:
    """Return the queue of training jobs, which the caller runs, and what makes the application that fills it.

    `agent` answers for the ticket agent's own model.
    """
    models = named_models(settings, directory)
    limits = job_limits(settings)
    queue = JobQueue(
        database,
        models,
        directory.api_training,
        limits,
        server=hashlib.sha256(directory.key()).hexdigest(),  # no two servers share a data directory
        at_once=0 if missing(*TRAINING) else settings.jobs_at_once,  # pending jobs are left to others
        threads=settings.threads,
        keep_versions=keep_versions,
    )
    loaded = LoadedModels(directory.encoders, capacity=settings.loaded_models, threads=settings.threads)
    api = partial(
        create_api,
        Keys(key, directory.api_key),
        TrainingRoutes(database, models, queue, settings),
        ModelRoutes(models, queue),
        InferenceRoutes(models, loaded, settings.threads, agent),
        settings,
    )
    return queue, api


def job_limits(settings: ApiSettings) -> Limits:
    """Return where a training ends at the latest, by the settings that say so."""
    said = ("[api] job_timeout_seconds", "[api] job_memory_mb")
    return Limits(settings.job_timeout_seconds, settings.job_memory_mb, *said)


def named_models(settings: ApiSettings, directory: DataDirectory) -> NamedModels:
    """Return the named models of an installation."""
    return NamedModels(settings.models or directory.api_models, directory.encoders, directory.models)
