"""The composition root: settings → collaborators → routes and background tasks. No other module knows them all.

POST /hooks/{source}[/{segment}]  agent.intake.receive  → inbox (one commit for many requests) → 202
inbox → agent.work.engine        → agent.desk (one handler for each kind of event)
/v1/..., /docs, /health          agent.model_api.web        → agent.model_api.job_queue, agent.serving.loaded
everything else                  agent.pages: pages for people, each call behind agent.pages.guard
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
import structlog
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from agent.config.rotation import Rotation
from agent.config.settings import BrakesSettings, Settings
from agent.core import Parts, closure, mark_key, writer
from agent.desk import Desk, handle
from agent.feedback import accounts
from agent.intake.group_commit import GroupCommit
from agent.intake.rate import buckets
from agent.intake.receive import Receiver, Summary
from agent.intake.storage import Storage
from agent.metrics import Metrics
from agent.model_api.web.access import ModelApiRoute
from agent.model_api.web.assembly import model_api
from agent.model_api.web.inference import AgentAnswers
from agent.notes.speak import Speaker
from agent.notices.notices import Notices
from agent.pages.routes import routes
from agent.pages.site import Site
from agent.pages.texts import load as load_texts
from agent.store.arrivals import untraced
from agent.store.comments import Limits
from agent.store.database import Database, why
from agent.store.soundness import Soundness
from agent.store.times import utcnow
from agent.triage.opinion import RoleClassifier
from agent.web.health import Health
from agent.web.metrics_page import MetricsPage
from agent.web.protection import SafeHeaders
from agent.work.attempt import Attempts, Breaker, Breakers
from agent.work.background import start
from agent.work.call_metrics import ObservedConnectors, count_calls
from agent.work.engines import make_engine
from agent.work.first_encoder import prepare_forever
from agent.work.model_sync import ModelSync
from agent.work.poll import poll_forever
from agent.work.schedule import schedule
from agent.work.tracing import tracing
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
    """Return the server. `train_command` is what the nightly schedule runs, in a process of its own.

    `reload` reads the settings again; with it, connectors follow their secrets without a restart.
    """
    settings, database, metrics = parts.settings, parts.database, Metrics()
    connectors = dict(connectors)
    rotation = Rotation(settings, connectors, reload) if reload else None
    storage = Storage(database, settings.intake)
    commit = GroupCommit(database, settings.intake, storage)
    key_of_marks = mark_key(parts.directory, database)
    for connector in connectors.values():
        _know_accounts(connector, database)
    settle = timedelta(seconds=settings.work.settle_seconds)
    head_start = timedelta(minutes=settings.brakes.head_start_minutes)
    speaker = Speaker(database, key_of_marks, settle, _limits(settings.brakes), shadow=settings.triage.shadow is True)
    breakers = Breakers(metrics, connectors, settings.work.breaker_failures, settings.work.breaker_seconds)
    traces = tracing(os.environ)
    watches = [count_calls(metrics, connectors), breakers.watch, *([traces.call] if traces else [])]
    observed = ObservedConnectors(connectors, watches)
    desk = Desk(
        database,
        observed,
        parts.classifier,
        speaker,
        metrics,
        head_start,
        closure(settings, database),
        writer(settings),
    )
    keep_versions = settings.learning.keep_versions
    key = (lambda: rotation.current.api.key) if rotation else (lambda: settings.api.key)
    queue, api = model_api(
        settings.api, parts.directory, database, key, keep_versions, partial(_answers, parts.classifier)
    )

    trace = traces.trace if traces else untraced
    handler = traces.attempted(partial(handle, desk)) if traces else partial(handle, desk)
    attempts = Attempts(database, handler, metrics, breakers, settings.work.retry_seconds)
    engine = make_engine(database, attempts, commit.accepted, settings.work.concurrency)
    soundness = Soundness(database)
    health = Health(database, parts.active, (storage.trouble, commit.trouble, soundness.trouble))
    rates = buckets(connectors, settings.intake)
    look_back = timedelta(days=settings.work.look_back_days)

    def poll(breaker: Breaker) -> Coroutine[Any, Any, None]:
        seconds = settings.work.poll_seconds
        return poll_forever(observed, breaker, database, commit.accepted, trace, seconds, metrics, look_back)

    site = Site(
        settings,
        parts.directory,
        database,
        parts.active,
        parts.classifier,
        observed,
        metrics,
        load_texts(settings.language, settings.texts),
        key_of_marks,
        commit.accepted,
        breakers.left_alone,
    )

    def down() -> dict[str, timedelta]:
        return {b.source: length for b in breakers.values() if (length := b.open_for()) is not None}

    current = (lambda: rotation.current) if rotation else (lambda: settings)
    notices = Notices(current, database, metrics, parts.classifier.memory, connectors, storage, down)
    receiver = Receiver(connectors, commit, rates, settings.intake, Summary(metrics), trace)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        working = start(engine.run())
        sync = (
            await asyncio.to_thread(ModelSync, database, parts.directory, keep_versions) if database.clustered else None
        )
        others = [start(_follow(parts, sync)), start(queue.run()), start(storage.run()), start(soundness.run())]
        others += [start(poll(breaker)) for breaker in breakers.values() if observed[breaker.source].capabilities.polls]
        encoders, base_model = parts.directory.encoders, settings.learning.base_model
        others.append(start(prepare_forever(parts.classifier.memory, database, encoders, base_model)))
        if rotation:
            others.append(start(rotation.run()))
        others.append(start(notices.run()))
        scheduler = schedule(settings, database, train_command)
        try:
            yield
        finally:
            scheduler.shutdown(wait=False)
            engine.stop()
            await asyncio.gather(working, return_exceptions=True)
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            if rotation:
                await rotation.aclose()
            for connector in connectors.values():
                await connector.aclose()
            if traces:
                await asyncio.to_thread(traces.close)
            database.close()

    app = Starlette(
        routes=[
            Route("/hooks/{source}/{segment:path}", receiver, methods=["POST"]),
            Route("/hooks/{source}", receiver, methods=["POST"]),
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
            Route("/metrics", MetricsPage(database, parts.active, metrics, parts.classifier.memory).answer),
            ModelApiRoute(api),
            *routes(site),
        ],
        middleware=[Middleware(SafeHeaders)],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would reveal which paths exist
    return app


def _answers(classifier: RoleClassifier, texts: Sequence[str]) -> AgentAnswers | None:
    """Return what the ticket agent answers to texts, as `rolecall predict` does; None where no model serves."""
    opinions = [classifier.opinion(text, "", date.today()) for text in texts]
    first, model = opinions[0], opinions[0].grounds.model
    if model is None or any(opinion.model_version != model.version for opinion in opinions):
        return None
    scores = np.array([opinion.probabilities for opinion in opinions])
    suggestions = tuple(opinion.outcome for opinion in opinions)
    return AgentAnswers(model.version, first.roles, scores, suggestions, model.fusion.multi_label)


def _know_accounts(connector: Connector, database: Database) -> None:
    """Set who we are on a connector, and log which accounts count as staff only for a while."""
    for account in database.call(accounts.stored, connector.source):
        if account.ours:
            connector.learn_author(account.account_id)
    for account in database.call(accounts.ending, connector.source, connector.staff, utcnow()):
        log.warning(
            "account_counts_for_a_while",
            account=account.account_id,
            until=account.trusted_until,
            keep_by=f"connectors.{connector.source}.staff",
        )


async def _follow(parts: Parts, sync: ModelSync | None) -> None:
    """Load new models and reviews until cancelled; while the disk or the database fails, keep the current ones."""
    failure = None
    while True:
        try:
            if sync is not None:
                await asyncio.to_thread(sync.run)
            await asyncio.to_thread(parts.follow)
        except (DBAPIError, OSError) as error:
            before, failure = failure, why(error) if isinstance(error, DBAPIError) else str(error)
            if failure != before:
                log.warning("follow_failed", error=failure)
        else:
            failure = None
        await asyncio.sleep(FOLLOW_SECONDS)


def _limits(given: BrakesSettings) -> Limits:
    return Limits(given.comments_per_hour, given.pause_at_corrected_share, given.answers)
