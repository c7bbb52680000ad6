"""Somebody accepted a suggested subject or text on a page, or restored the original: the ticket follows."""

from __future__ import annotations

import structlog

from agent.desk.acting import Withheld, act, same, shown
from agent.desk.desk import Desk
from agent.store import writings
from agent.store.actions import Acted
from agent.store.inbox import Job
from agent.store.writings import Verdict, WritingKind
from connectors.base import Field
from connectors.errors import Permanent, TicketNotFound

log = structlog.get_logger()


async def followed(desk: Desk, job: Job, kind: WritingKind) -> None:
    """Change the ticket, unless a person has changed the same meanwhile: theirs stands. What became of it is kept."""
    row = await desk.database.read(writings.offered, job.ticket_key, kind)
    if row is None:
        return
    field, (ours, original) = Field(kind), writings.both(row)
    wanted, there = (original, ours) if row.verdict == Verdict.RESTORED else (ours, original)
    became: str = Acted.OVERTAKEN
    try:
        remote, _ = await desk.read(job)
        if any(same(field, shown(remote, field, each), each) for each in (there, wanted)):
            became = await act(desk, job.source, remote, field, wanted, asked=True)
        else:
            log.warning("ticket_not_changed", field=field, reason="somebody has changed it")
    except TicketNotFound:
        return
    except Withheld as reason:
        became = writings.WITHHELD
        log.warning("ticket_not_changed", field=field, reason=str(reason))
    except Permanent:
        await desk.database.write(writings.became, job.ticket_key, kind, Acted.REFUSED)
        raise
    await desk.database.write(writings.became, job.ticket_key, kind, became)
