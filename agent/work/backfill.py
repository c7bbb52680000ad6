"""Backfill: take in the tickets that were closed before Rolecall came, from the system itself.

The history is read in parts of limited size. Each is stored together with the place where the next one begins, in the
row of the poll's watermark and in one transaction: whenever the process dies, the next run goes on there. The poll's
watermark is set first, so that it finds what is closed meanwhile; both name a closure alike, so that it counts once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from agent.desk.history import Intake, Tally, take_in, write_up
from agent.errors import NotPossibleYet
from agent.store.database import Database
from agent.store.tables import Watermark
from agent.work.poll import BATCH_PAUSE_SECONDS, watermark_of
from agent.writing.note import Writer
from connectors.base import Connector, Past
from connectors.errors import TicketNotFound, Transient

MOST_TRIES = 8
LONGEST_PAUSE_SECONDS = 60.0
"""Between tries, where the system does not say how long to wait."""

Rest = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the history of one system was taken in, since a day. `share` is how much of it, from 0 to 1."""

    since: datetime
    place: str | None = None
    share: float = 0.0
    done: bool = False
    tally: Tally = field(default_factory=Tally)

    def stored(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return asdict(self) | {"since": self.since.isoformat(), "tally": asdict(self.tally)}


Show = Callable[[Progress, float], object]
"""Called with the progress and the seconds until the next request."""


def progress_of(session: Session, source: str) -> Progress | None:
    """Return how far the history of a system was taken in, None where nobody began."""
    row = session.get(Watermark, source)
    if row is None or row.history is None:
        return None
    since, tally = datetime.fromisoformat(row.history["since"]), Tally(**row.history["tally"])
    return Progress(**row.history | {"since": since, "tally": tally})


async def backfill(
    intake: Intake,
    database: Database,
    since: datetime,
    show: Show,
    *,
    again: bool = False,
    writer: Writer | None = None,
    rest: Rest = asyncio.sleep,
) -> Progress:
    """Take in the tickets that were closed since a day, going on where an earlier run ended; return what was done.

    What was taken in since a later day is looked at once more, as it is with `again`. With a `writer`, messages come
    along, and how tickets were solved is cut from them. Raises ConnectorError, NotPossibleYet.
    """
    connector = intake.connector
    if not connector.capabilities.lists_history:
        raise NotPossibleYet(f"{connector.kind} cannot list its history: export it, and use `rolecall import`")
    if await database.read(watermark_of, connector.source) is None:
        await database.write(_begin, connector.source, (await connector.poll(None)).watermark)
    at = await database.read(progress_of, connector.source)
    if at is None or since < at.since or (again and at.done):
        at = await _keep(database, connector.source, at, Progress(since))
    while not at.done:
        at = await _part(intake, database, at, show, writer, rest)
        show(at, BATCH_PAUSE_SECONDS)
        await rest(0 if at.done else BATCH_PAUSE_SECONDS)
    return at


async def _part(
    intake: Intake, database: Database, at: Progress, show: Show, writer: Writer | None, rest: Rest
) -> Progress:
    """Read one part and store it."""
    past = await patiently(intake.connector, at, show, rest, messages=writer is not None)
    written = await write_up(database, intake, writer, past.closures) if writer else []

    def store(session: Session) -> Progress:
        tally = take_in(session, intake, past.closures, written)
        counted = replace(tally, looked=past.looked, refused=past.refused)
        after = Progress(at.since, past.place, past.share, past.complete, at.tally.add(counted))
        return _put(session, intake.connector.source, at, after)

    return await database.write(store)


async def patiently(connector: Connector, at: Progress, show: Show, rest: Rest, *, messages: bool) -> Past:
    """Read the next part, waiting where the system asks for it, and where it does not answer. Raises ConnectorError."""
    failed = 0
    while True:
        try:
            return await connector.history(at.since, at.place, messages=messages)
        except TicketNotFound:
            raise
        except Transient as error:
            failed += 1
            if failed == MOST_TRIES:
                raise
            pause = min(2.0 ** (failed - 1), LONGEST_PAUSE_SECONDS) if error.retry_after is None else error.retry_after
        show(at, pause)
        await rest(pause)


def _begin(session: Session, source: str, watermark: str) -> None:
    """Set where the poll begins, unless a server has done so meanwhile."""
    if session.get(Watermark, source) is None:
        session.add(Watermark(source=source, value=watermark))


async def _keep(database: Database, source: str, before: Progress | None, after: Progress) -> Progress:
    return await database.write(_put, source, before, after)


def _put(session: Session, source: str, before: Progress | None, after: Progress) -> Progress:
    """Store the progress. Raises NotPossibleYet where another process has gone on from the same place."""
    row = session.get_one(Watermark, source, with_for_update=True)
    if row.history != (before.stored() if before else None):
        raise NotPossibleYet(f"another process takes in the history of {source}: let it end, or end it and try again")
    row.history = after.stored()
    return after
