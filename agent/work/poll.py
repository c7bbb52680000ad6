"""Reconciliation: look at each system now and then for what happened without a webhook reaching us.

No ticketing server that was tried sends a webhook for everything, and some never try twice: without this, closed
tickets stay unknown. A poll yields the same delivery ids as webhooks, so nothing is handled twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from agent.store.arrivals import Arrival, accept
from agent.store.database import Database
from agent.store.tables import Watermark, utcnow
from connectors.base import Connector
from connectors.errors import ConnectorError

log = structlog.get_logger()


async def poll_forever(
    connectors: Mapping[str, Connector], source: str, database: Database, wake: asyncio.Event, every_seconds: float
) -> None:
    """Poll one system until cancelled; a system that is down is asked again at the next turn.

    The connector is looked up at every turn: it is replaced when its secrets are rotated.
    """
    while True:
        try:
            if await poll_once(connectors[source], database):
                wake.set()
        except OperationalError as error:
            log.warning("poll_not_kept", source=source, error=type(error.orig).__name__)
        except ConnectorError as error:
            log.warning("poll_failed", source=source, error=str(error))
        await asyncio.sleep(every_seconds)


async def poll_once(connector: Connector, database: Database) -> int:
    """Take in what one look finds and return how many events were new. Raises ConnectorError."""
    known = await database.read(_watermark, connector.source)
    found = await connector.poll(known)
    now = utcnow()
    arrivals = [Arrival(connector.source, event, b"", now) for event in found.events]
    fresh = await database.write(_take_in, connector.source, arrivals, found.watermark)
    if fresh:
        log.info("poll_found", source=connector.source, events=fresh)
    return fresh


def _watermark(session: Session, source: str) -> str | None:
    row = session.get(Watermark, source)
    return row.value if row else None


def _take_in(session: Session, source: str, arrivals: Sequence[Arrival], watermark: str) -> int:
    fresh = sum(accept(session, arrivals))
    row = {"source": source, "value": watermark, "at": utcnow()}
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    # as one statement: of servers that poll at the same moment, the second waits and does not fail
    session.execute(make(Watermark).values(**row).on_conflict_do_update(index_elements=["source"], set_=row))
    return fresh
