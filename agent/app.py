"""The composition root: settings → collaborators → routes and background tasks. No other module knows them all.

POST /hooks/{source}[/{segment}]  agent.door: it is there before all of this is loaded
inbox → agent.work.engine        → agent.desk (one handler for each kind of event)
/v1/..., /docs, /health          agent.model_api.web        → agent.model_api.job_queue, agent.serving.loaded
/api/...                         agent.programs: the same tickets for programs, each with a token of an account
everything else                  agent.pages: pages for people, each call behind agent.pages.guard
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
import structlog
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from agent.config.settings import Settings
from agent.core import Parts, closure, mark_key, writer
from agent.desk import Desk, handle
from agent.door import Door
from agent.model_api.web.access import ModelApiRoute
from agent.model_api.web.assembly import model_api
from agent.model_api.web.inference import AgentAnswers
from agent.notes.links import Links
from agent.notes.speak import Speaker
from agent.notices.notices import Notices
from agent.pages.routes import routes as pages
from agent.pages.site import Site
from agent.programs.rest import programs
from agent.serving.active import ActiveModel
from agent.store.comments import Limits
from agent.store.database import why
from agent.triage.model import TicketModel
from agent.triage.opinion import RoleClassifier
from agent.web.metrics_page import MetricsPage
from agent.work.attempt import Attempts, Breaker, Breakers
from agent.work.background import start
from agent.work.by_hand import ByHand
from agent.work.call_metrics import ObservedConnectors, count_calls
from agent.work.engines import make_engine
from agent.work.first_encoder import prepare_forever
from agent.work.index_older import index_older
from agent.work.model_sync import ModelSync
from agent.work.poll import poll_forever
from agent.work.schedule import schedule
from agent.work.served_files import Teller
from connectors.base import Connector

FOLLOW_SECONDS = 1.0
"""How often the server checks for a new model and for reviews recorded elsewhere."""

log = structlog.get_logger()


def create_app(
    parts: Parts,
    connectors: Mapping[str, Connector],
    train_command: Sequence[str],
    reload: Callable[[], Settings] | None = None,
) -> Starlette:
    """Return the server, all of it loaded. `train_command` is what the nightly schedule runs, in a process of its own.

    `reload` reads the settings again; with it, connectors follow their secrets without a restart.
    """
    door = Door(parts.settings, parts.directory, parts.database, dict(connectors), reload)
    return door.application(Server(door, parts, train_command))


class Server:
    """What stands behind the door: what it answers with (`routes`) and what works in the background (`running`)."""

    def __init__(self, door: Door, parts: Parts, train_command: Sequence[str]) -> None:
        self.door, self.parts, self.train_command = door, parts, train_command
        self.settings, self.database, self.metrics = parts.settings, parts.database, door.metrics
        settings, database, connectors = self.settings, self.database, door.connectors
        rotation, traces = door.rotation, door.traces
        self.current: Callable[[], Settings] = (lambda: rotation.current) if rotation else (lambda: settings)
        self.breakers = Breakers(
            self.metrics, connectors, settings.work.breaker_failures, settings.work.breaker_seconds
        )
        watches = [count_calls(self.metrics, connectors), self.breakers.watch]
        self.observed = ObservedConnectors(connectors, [*watches, *([traces.call] if traces else [])])
        self.key_of_marks = mark_key(parts.directory, database)
        handler = partial(handle, self._desk())
        attempted = traces.attempted(handler) if traces else handler
        attempts = Attempts(database, attempted, self.metrics, self.breakers, settings.work.retry_seconds)
        self.engine = make_engine(database, attempts, door.commit.accepted, settings.work.concurrency)
        self.queue, self.make_api = model_api(
            settings.api,
            parts.directory,
            database,
            lambda: self.current().api.key,
            settings.learning.keep_versions,
            partial(_answers, parts.classifier),
        )

    def _desk(self) -> Desk:
        settings, brakes, database = self.settings, self.settings.brakes, self.database
        limits = Limits(brakes.comments_per_hour, brakes.pause_at_corrected_share, brakes.answers)
        settle = timedelta(seconds=settings.work.settle_seconds)
        head_start = timedelta(minutes=brakes.head_start_minutes)
        speaker = Speaker(database, self.key_of_marks, settle, limits, shadow=settings.triage.shadow is True)
        shared = database, self.observed, self.parts.classifier, speaker, self.metrics, head_start
        writing = closure(settings, database), writer(settings, database)
        links = Links.at(settings.server.public_url, self.key_of_marks)
        return Desk(*shared, *writing, settings.checks.share, links, settings.writing.summary_above, settings.ladder)

    @property
    def active(self) -> ActiveModel[TicketModel]:
        """The model in use."""
        return self.parts.active

    def routes(self) -> list[BaseRoute]:
        """Return what the server answers, pages last: they have every path that nothing else has."""
        site = self._site()
        metrics = MetricsPage(self.database, self.parts.active, self.metrics, self.parts.classifier.memory)
        return [
            Route("/metrics", metrics.answer),
            ModelApiRoute(self.make_api),
            programs(site),
            *pages(site),
        ]

    def _site(self) -> Site:
        parts, door = self.parts, self.door
        shared = self.settings, parts.directory, self.database, parts.active, parts.classifier, self.observed
        seen = self.metrics, door.texts, self.key_of_marks, door.commit.accepted, self.breakers.waits
        return Site(
            *shared, *seen, partial(parts.follow, whole=True), parts.files.problems, ByHand(self.train_command).begin
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work in the background until left; the work that is under way then is finished first."""
        working = start(self.engine.run())
        others = [start(task) for task in await self._tasks()]
        scheduler = schedule(self.settings, self.database, self.train_command, self.parts.classifier.catalogue)
        try:
            yield
        finally:
            scheduler.shutdown(wait=False)
            self.engine.stop()
            await asyncio.gather(working, return_exceptions=True)
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            if self.door.rotation:
                await self.door.rotation.aclose()

    async def _tasks(self) -> list[Coroutine[Any, Any, None]]:
        """Return what runs beside the engine until it is cancelled."""
        directory, database, memory = self.parts.directory, self.database, self.parts.classifier.memory
        door = self.door
        keep_versions, base_model = self.settings.learning.keep_versions, self.settings.learning.base_model
        sync = await asyncio.to_thread(ModelSync, database, directory, keep_versions) if database.clustered else None
        polled = [b for b in self.breakers.values() if self.observed[b.source].capabilities.polls]
        notices = Notices(self.current, database, self.metrics, memory, door.connectors, door.storage, self._down)
        teller = Teller(database, self.parts.classifier) if database.clustered else None
        return [
            _follow(self.parts, sync, teller),
            self.queue.run(),
            notices.run(),
            prepare_forever(memory, database, directory.encoders, base_model),
            index_older(database),
            *(self._poll(breaker) for breaker in polled),
            *([door.rotation.run()] if door.rotation else []),
        ]

    def _poll(self, breaker: Breaker) -> Coroutine[Any, Any, None]:
        seconds, look_back = self.settings.work.poll_seconds, timedelta(days=self.settings.work.look_back_days)
        accepted, trace = self.door.commit.accepted, self.door.trace
        return poll_forever(self.observed, breaker, self.database, accepted, trace, seconds, self.metrics, look_back)

    def _down(self) -> dict[str, timedelta]:
        """Return which helpdesks are left alone, and for how long already."""
        return {b.source: length for b in self.breakers.values() if (length := b.open_for()) is not None}


def _answers(classifier: RoleClassifier, texts: Sequence[str]) -> AgentAnswers | None:
    """Return what the ticket agent answers to texts, as `rolecall predict` does; None where no model serves."""
    opinions = [classifier.opinion(text, "", date.today()) for text in texts]
    first, model = opinions[0], opinions[0].grounds.model
    if model is None or any(opinion.model_version != model.version for opinion in opinions):
        return None
    scores = np.array([opinion.probabilities for opinion in opinions])
    suggestions = tuple(opinion.outcome for opinion in opinions)
    return AgentAnswers(model.version, first.roles, scores, suggestions, model.fusion.multi_label)


async def _follow(parts: Parts, sync: ModelSync | None, teller: Teller | None) -> None:
    """Load new models and reviews until cancelled; while the disk or the database fails, keep the current ones."""
    failure = None
    while True:
        try:
            if sync is not None:
                await asyncio.to_thread(sync.run)
            await asyncio.to_thread(parts.follow)
            if teller is not None:
                await asyncio.to_thread(teller.run)
        except (DBAPIError, OSError) as error:
            before, failure = failure, why(error) if isinstance(error, DBAPIError) else str(error)
            if failure != before:
                log.warning("follow_failed", error=failure)
        else:
            failure = None
        await asyncio.sleep(FOLLOW_SECONDS)
