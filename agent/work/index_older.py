"""Make tickets ones that can be found which were stored before there was an index, a few at a time, beside all else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy import func
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from agent.store import search
from agent.store.database import Database, why
from agent.store.tables import Ticket, TicketWords

FIRST_SECONDS = 5.0
"""From the start: what waits is acknowledged and worked off first."""

AGAIN_SECONDS = 60.0
"""After a failure, such as a full disk."""

LOOKED_AT, AT_ONCE = 1_000, 50
"""Keys read at once, and tickets added in one transaction, between which webhooks are stored."""

log = structlog.get_logger()


async def index_older(database: Database, first_seconds: float = FIRST_SECONDS) -> None:
    """Add all that are missing, the newest keys last; return once every ticket can be found."""
    await asyncio.sleep(first_seconds)
    after, added = "", 0
    while True:
        try:
            if not after and await database.read(_complete):
                return
            keys, missing = await database.read(_next, after)
            for start in range(0, len(missing), AT_ONCE):
                await database.write(_add, missing[start : start + AT_ONCE])
        except DBAPIError as error:
            log.warning("tickets_not_indexed", error=why(error))
            await asyncio.sleep(AGAIN_SECONDS)
            continue
        if not keys:
            break
        after, added = keys[-1], added + len(missing)
    if added:
        log.info("tickets_indexed", tickets=added)


def _complete(session: Session) -> bool:
    found, all_of_them = (
        session.exec(select(func.count()).select_from(table)).one() for table in (TicketWords, Ticket)
    )
    return found == all_of_them


def _next(session: Session, after: str) -> tuple[Sequence[str], list[str]]:
    """Return the next keys behind one, and those of them that cannot be found."""
    keys = session.exec(select(Ticket.key).where(Ticket.key > after).order_by(Ticket.key).limit(LOOKED_AT)).all()
    if not keys:
        return keys, []
    between = col(TicketWords.ticket_key).between(keys[0], keys[-1])
    there = set(session.exec(select(TicketWords.ticket_key).where(between)))
    return keys, [key for key in keys if key not in there]


def _add(session: Session, keys: Sequence[str]) -> None:
    for ticket in session.exec(select(Ticket).where(col(Ticket.key).in_(keys))):
        search.index(session, ticket)
