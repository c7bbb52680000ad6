"""`/metrics`: the counters of this server, and the state of the installation from its database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from time import monotonic

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from agent.domain import TrainingOutcome
from agent.feedback.accounts import lately
from agent.metrics import Metrics
from agent.serving.active import ActiveModel
from agent.serving.model import RoleModel
from agent.store.database import Database
from agent.store.status import Figures, figures
from agent.store.tables import Training, utcnow
from agent.triage.memory_store import MemoryStore

FRESH_SECONDS = 1.0
"""How long the database's figures are reused: it is read once a second, however many requests there are."""

STATES = ("waiting", "working")
OUTCOMES = {outcome.value: outcome.value for outcome in TrainingOutcome} | {TrainingOutcome.UNDECIDED.value: "kept"}
"""The outcomes of a training as label values: without enough evidence, too, the old model was kept."""

OTHER = "other"

log = structlog.get_logger()


class MetricsPage:
    """The endpoint. While the database is unavailable, it serves this server's own counters."""

    def __init__(
        self, database: Database, active: ActiveModel[RoleModel], metrics: Metrics, memory: MemoryStore
    ) -> None:
        self._database = database
        self._active = active
        self._memory = memory
        self._metrics = metrics
        self._read_at = -FRESH_SECONDS
        self._reading = asyncio.Lock()

    async def answer(self, _request: Request) -> Response:
        """Return the metrics in Prometheus' text format."""
        async with self._reading:
            if monotonic() - self._read_at >= FRESH_SECONDS:
                await self._refresh()
                self._read_at = monotonic()
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def _refresh(self) -> None:
        model = self._active.current
        self._metrics.serves(model.version if model else None, model.manifest.created_at if model else None)
        self._show_floods(utcnow())
        try:
            self._show(await self._database.read(figures), utcnow())
        except SQLAlchemyError as error:
            log.warning("figures_unavailable", error=type(error).__name__)

    def _show(self, now: Figures, at: datetime) -> None:
        for state in STATES:
            self._metrics.queue.labels(state).set(now.events.get(state, 0))
        self._metrics.set_aside.set(now.events.get("dead", 0))
        self._metrics.oldest.set(max((at - now.oldest).total_seconds(), 0) if now.oldest else 0)
        self._metrics.paused.set(now.paused is not None)
        if now.training is not None:
            self._show_training(now.training, at)

    def _show_floods(self, now: datetime) -> None:
        memory = self._memory.current
        silent: dict[str, set[int]] = {"requester": set(), "account": set()}
        for flood in lately(memory.floods if memory else (), now.date()):
            silent[flood.by].update(flood.rows)
        for person, rows in silent.items():
            self._metrics.flooded.labels(person).set(len(rows))

    def _show_training(self, last: Training, now: datetime) -> None:
        reached = OUTCOMES.get(last.outcome, OTHER)
        for outcome in {*OUTCOMES.values(), OTHER}:
            self._metrics.training.labels(outcome).set(outcome == reached)
        self._metrics.training_took.set(((last.finished_at or now) - last.started_at).total_seconds())
        if last.finished_at is not None:
            self._metrics.training_ended.set(last.finished_at.astimezone(UTC).timestamp())
