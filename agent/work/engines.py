"""Choose the engine: the embedded one for an SQLite file, the cluster engine for a shared PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Protocol

from agent.store.database import Database
from agent.work.attempt import Attempts
from agent.work.engine import Engine


class WorkEngine(Protocol):
    """Works off accepted events. What waits is in `agent.store.inbox`, what is dead in `agent.store.dead_letters`."""

    async def run(self) -> None:
        """Work until `stop`."""

    def stop(self) -> None:
        """Begin nothing more; `run` returns when the work in hand is done."""


def make_engine(database: Database, attempts: Attempts, wake: asyncio.Event, concurrency: int) -> WorkEngine:
    """Return the engine that suits the database."""
    if database.clustered:
        from agent.work.cluster import ClusterEngine  # its libraries are the extra `cluster`

        return ClusterEngine(database, attempts, concurrency)
    return Engine(database, attempts, wake, concurrency)
