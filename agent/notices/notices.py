"""Look at the installation every minute, and tell the operator what is new: one server of a cluster sends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from socket import gethostname
from typing import Protocol

import structlog
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from agent.config.settings import Settings
from agent.feedback import accounts
from agent.metrics import Metrics
from agent.notices import outbox
from agent.notices.conditions import FRESH, Facts, conditions
from agent.notices.sending import deliver
from agent.report.cases import cases
from agent.report.week import Figures, Week
from agent.report.week import figures as in_numbers
from agent.store import coordination, stages
from agent.store.database import Database
from agent.store.status import figures
from agent.store.tables import Account, utcnow
from agent.triage.memory_store import MemoryStore
from connectors.base import Connector

ROUND_SECONDS = 60.0
LEADER = "notices"
LEADS_FOR = timedelta(minutes=5)
"""A server that has not looked for so long sends no more; another one does."""

log = structlog.get_logger()


class Room(Protocol):
    """Whether events can be stored."""

    low: bool

    def trouble(self) -> str | None:
        """Return why nothing can be stored now, None where it can."""


@dataclass(frozen=True, slots=True)
class Notices:
    """Tells the operator. `settings` are those of now; `down`: for how long systems have failed, by source."""

    settings: Callable[[], Settings]
    database: Database
    metrics: Metrics
    memory: MemoryStore
    connectors: Mapping[str, Connector]
    storage: Room
    down: Callable[[], Mapping[str, timedelta]]
    _weeks: dict[Week, Figures] = field(default_factory=dict)

    async def run(self) -> None:
        """Look once a minute until cancelled; while the database fails, nothing is lost but time."""
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            try:
                await self.round(utcnow())
            except SQLAlchemyError as error:
                log.warning("notices_wait", error=type(error).__name__)

    async def round(self, now: datetime) -> None:
        """Record what holds; tell what is new, and try again what was not delivered."""
        notify = self.settings().notify
        if not notify.urls:
            return
        held = conditions(await self._facts(now), notify)
        await self.database.write(outbox.note, held, now)
        server = f"{gethostname()}:{os.getpid()}"
        if not await self.database.write(coordination.lead, LEADER, server, now, LEADS_FOR):
            return
        await self.database.write(outbox.gather, len(notify.urls), notify.most_per_day, now)
        for name, message in await self.database.read(outbox.due, now):
            await self._send(name, message, notify.urls, now)

    async def _facts(self, now: datetime) -> Facts:
        state, settings = await self.database.read(figures), self.settings()
        memory = self.memory.current
        return Facts(
            now,
            gethostname(),
            state.paused,
            state.events.get("dead", 0),
            state.training,
            self.storage.trouble(),
            self.storage.low,
            self.down(),
            settings.secrets.expires,
            memory.given if memory else (),
            await self.database.read(_in_grace, self.connectors, now),
            await self._week(now) if settings.notify.week else None,
            await self.database.read(stages.fallen, now - FRESH),
        )

    async def _week(self, now: datetime) -> Figures:
        """Return the last whole week in numbers, as they were when it was first asked for."""
        week = Week.containing(now.astimezone().date()).shifted(-1)
        if week not in self._weeks:
            found = await self.database.read(cases, week.begin, week.end, self.memory.catalogue)
            self._weeks.clear()
            self._weeks[week] = in_numbers(week, found)
        return self._weeks[week]

    async def _send(self, name: str, message: outbox.Message, urls: tuple[SecretStr, ...], now: datetime) -> None:
        failed: dict[int, str] = {}
        for number in message.left:
            if number > len(urls):
                continue  # an address that was removed since
            reason = await deliver(urls[number - 1].get_secret_value(), message.title, message.body)
            self.metrics.notices.labels("failed" if reason else "sent").inc()
            if reason:
                failed[number] = reason
                log.warning("notice_not_sent", address=number, reason=reason, attempt=message.tries + 1)
            else:
                log.info("notice_sent", address=number)
        await self.database.write(outbox.tried, name, failed, now)


def _in_grace(session: Session, connectors: Mapping[str, Connector], now: datetime) -> list[Account]:
    """Return the accounts that count as staff only because their commands did before an upgrade."""
    rows = session.exec(select(Account).where(col(Account.trusted_until) > now).order_by(Account.account_id)).all()
    return [
        row for row in rows if row.source in connectors and accounts.in_grace(row, connectors[row.source].staff, now)
    ]
