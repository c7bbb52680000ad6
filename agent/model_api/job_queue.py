"""Run the training jobs of the model API: a few at a time, each in a process with limits.

A job that a stopping server interrupts stays in the database and is started again at the next start.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from agent.fitting.child import Limits
from agent.fitting.job import Job, Progress
from agent.model_api import classifier
from agent.model_api.named_models import NamedModels
from agent.model_api.training_request import decoded, job
from agent.serving.artefact import Manifest
from agent.serving.pruning import prune
from agent.store import jobs
from agent.store.compaction import give_back
from agent.store.database import UNUSABLE, Database
from agent.store.tables import ModelJob, utcnow

CANCELLED = "cancelled by request"

SLACK = timedelta(hours=1)
"""Beyond a job's time limit, until a server that is gone is given up."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Running:
    task: asyncio.Task[Manifest]
    progress: Progress | None = None


class JobQueue:
    """Runs the jobs of this process. `wake` it when a new job was added."""

    def __init__(
        self,
        database: Database,
        models: NamedModels,
        scratch: Path,
        limits: Limits,
        *,
        server: str,
        at_once: int,
        threads: int,
        keep_versions: int,
    ) -> None:
        self._database = database
        self._models = models
        self._scratch = scratch
        self._limits = limits
        self._server = server
        self._at_once = at_once
        self._threads = threads
        self._keep_versions = keep_versions
        self._arrived = asyncio.Event()
        self._running: dict[str, _Running] = {}

    async def run(self) -> None:
        """Run jobs until cancelled. Cancelling ends the training processes and keeps their jobs for the next start."""
        longest = timedelta(seconds=self._limits.wall_seconds) + SLACK
        for job_id in await self._database.write_with_retry(jobs.recover, self._server, longest):
            log.info("model_job_recovered", job=job_id)
        shutil.rmtree(self._scratch, ignore_errors=True)  # what a killed server left; nobody else writes here
        await asyncio.to_thread(self._models.clear, utcnow())
        async with asyncio.TaskGroup() as group:
            for _ in range(self._at_once):
                group.create_task(self._work())

    def wake(self) -> None:
        """Look for a new job now."""
        self._arrived.set()

    def progress(self, job_id: str) -> Progress | None:
        """Return the progress of a running job."""
        running = self._running.get(job_id)
        return running.progress if running else None

    async def cancel(self, job_id: str) -> bool:
        """Cancel a job; return whether it was pending or running here."""
        if await self._database.write(jobs.fail, job_id, CANCELLED, only=jobs.PENDING):
            return True
        running = self._running.get(job_id)
        if running is None:
            return False
        running.task.cancel()
        await asyncio.wait([running.task])
        await self._database.write(jobs.fail, job_id, CANCELLED)
        return running.task.cancelled()

    async def cancel_all(self, model_name: str) -> None:
        """Cancel what is under way for a model, which is to be deleted and must not come back."""
        for job_id in await self._database.read(jobs.open_for, model_name):
            await self.cancel(job_id)

    async def _work(self) -> None:
        while not _stopping():
            self._arrived.clear()
            row = await self._database.write_with_retry(jobs.claim, self._server)
            if row is None:
                await self._arrived.wait()
            else:
                await self._do(row)

    async def _do(self, row: ModelJob) -> None:
        running = self._running[row.id] = _Running(asyncio.create_task(self._train(row)))
        try:
            manifest = await running.task
        except asyncio.CancelledError:
            if _stopping():
                raise  # the job stays, and is taken up at the next start
            reason = CANCELLED
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one training, the server goes on
            reason = str(error) or type(error).__name__
            log.warning("model_job_failed", job=row.id, error=type(error).__name__)
        else:
            await self._database.write_with_retry(jobs.complete, row.id, manifest.version)
            log.info("model_job_completed", job=row.id, model=row.model_name, version=manifest.version)
            await asyncio.to_thread(prune, self._models.registry(row.model_name), self._keep_versions)
            await self._give_back()
            return
        finally:
            del self._running[row.id]
        await self._database.write_with_retry(jobs.fail, row.id, reason)
        await self._give_back()

    async def _give_back(self) -> None:
        """Give back the room of the texts of jobs that have ended."""
        with suppress(*UNUSABLE):  # the next job that ends tries again
            await give_back(self._database)

    async def _train(self, row: ModelJob) -> Manifest:
        def hear(progress: Progress) -> None:
            self._running[row.id].progress = progress

        planned = await asyncio.to_thread(self._plan, row)
        registry = self._models.for_training(row.model_name)
        return await classifier.train(planned, registry, self._scratch, self._limits, f"job {row.id}", hear)

    def _plan(self, row: ModelJob) -> Job:
        request = decoded(row.request)
        return job(request, str(request.base_model), self._models.encoders, self._threads)


def _stopping() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
