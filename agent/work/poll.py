"""Reconcile: poll each system regularly for what happened without a webhook reaching us.

No ticketing server that was tried sends a webhook for everything, and some never repeat a failed one: without polling,
closed tickets stay unknown. A poll yields the same delivery ids as webhooks, so nothing is handled twice.

A poll consists of batches of limited size. Each is stored together with its watermark in one transaction: whenever the
process dies, the next batch begins where the last one ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from agent.desk.fallen_back import behind, fell_back
from agent.desk.sightings import unannounced
from agent.metrics import Metrics
from agent.store import coordination
from agent.store.arrivals import Arrival, Trace, accept, untraced
from agent.store.database import UNUSABLE, Database, why
from agent.store.tables import Watermark, utcnow
from agent.work.attempt import Breaker
from connectors.base import LOOK_BACK, Connector, Poll
from connectors.errors import ConnectorError

RESTORED = "restored "
"""Name of the shared value that holds when a system was seen to give numbers again; its name follows."""

BATCH_PAUSE_SECONDS = 0.5
"""Pause between the batches of one poll, for the sake of the system's other users."""

log = structlog.get_logger()


async def poll_forever(
    connectors: Mapping[str, Connector],
    breaker: Breaker,
    database: Database,
    wake: asyncio.Event,
    trace: Trace,
    every_seconds: float,
    metrics: Metrics,
    look_back: timedelta = LOOK_BACK,
) -> None:
    """Poll one system until cancelled; one whose breaker is open is asked again at the next interval.

    `wake` is set where something was new. The connector is looked up for every poll: rotating its secrets replaces it.
    """
    source = breaker.source
    while True:
        try:
            with breaker.passage() as wait:
                if wait is None:
                    fresh = await poll_once(connectors[source], database, wake, trace, look_back)
                    metrics.found.labels(source).inc(fresh)
                    metrics.polled.labels(source).set_to_current_time()
        except UNUSABLE as error:
            log.warning("poll_not_kept", source=source, error=why(error))
        except ConnectorError as error:
            log.warning("poll_failed", source=source, error=str(error))
        await asyncio.sleep(every_seconds)


async def poll_once(
    connector: Connector,
    database: Database,
    wake: asyncio.Event,
    trace: Trace = untraced,
    look_back: timedelta = LOOK_BACK,
) -> int:
    """Store all that happened up to now, in batches, and return how many events were new. Raises ConnectorError."""
    total, complete = 0, False
    while not complete:
        fresh, complete = await _poll_batch(connector, database, wake, trace, look_back)
        total += fresh
        await asyncio.sleep(0 if complete else BATCH_PAUSE_SECONDS)
    return total


async def _poll_batch(
    connector: Connector, database: Database, wake: asyncio.Event, trace: Trace, look_back: timedelta
) -> tuple[int, bool]:
    """Store one batch; return how many events were new, and whether the poll is complete."""
    known = await database.read(watermark_of, connector.source)
    found = await connector.poll(known, look_back)
    now = utcnow()
    arrivals, kept = trace([Arrival(connector.source, event, b"", now) for event in found.events])
    fresh = await database.write(_take_in, connector.source, arrivals, found.watermark)
    kept(fresh)
    seen = await database.write(_look, connector, found)
    if any(fresh) or seen:
        wake.set()
        log.info("poll_found", source=connector.source, events=sum(fresh) + seen, complete=found.complete)
    return sum(fresh) + seen, found.complete


def _look(session: Session, connector: Connector, found: Poll) -> int:
    """Store what changed on tickets without a word, and return how much that was."""
    now, source = utcnow(), connector.source
    restored = found.restored or fell_back(session, source, found.tickets, now)
    again: list[Arrival] = []
    if restored:
        log.warning("helpdesk_restored", source=source)
        coordination.put(session, f"{RESTORED}{source}", now.isoformat())
        again = behind(session, source, found.tickets, now)
    events = unannounced(session, source, found.tickets, connector.author_id, restored)
    return sum(accept(session, [*(Arrival(source, event, b"", now) for event in events), *again]))


def watermark_of(session: Session, source: str) -> str | None:
    """Return how far the poll of a system has come, None before the first."""
    row = session.get(Watermark, source)
    return row.value if row else None


def _take_in(session: Session, source: str, arrivals: Sequence[Arrival], watermark: str) -> list[bool]:
    fresh = accept(session, arrivals)
    row = {"source": source, "value": watermark, "at": utcnow()}
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    # one statement: if two servers poll at the same moment, the second waits instead of failing
    session.execute(make(Watermark).values(**row).on_conflict_do_update(index_elements=["source"], set_=row))
    return fresh
