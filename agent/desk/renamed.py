"""Somebody accepted a suggested subject on a page, or restored the original one: the ticket in its system follows."""

from __future__ import annotations

import structlog

from agent.desk.acting import Withheld, act
from agent.desk.desk import Desk
from agent.store import writings
from agent.store.actions import Acted
from agent.store.inbox import Job
from agent.store.writings import Verdict
from connectors.base import Field
from connectors.errors import Permanent, TicketNotFound

log = structlog.get_logger()


async def renamed(desk: Desk, job: Job) -> None:
    """Change the subject, unless a person has changed it meanwhile: theirs stands. What became of it is recorded."""
    row = await desk.database.read(writings.naming, job.ticket_key)
    if row is None:
        return
    ours, original = (next(writings.sentences(row, part)) for part in ("subject", "original"))
    wanted, there = (original, ours) if row.verdict == Verdict.RESTORED else (ours, original)
    became: str = Acted.OVERTAKEN
    try:
        remote, _ = await desk.read(job)
        if remote.subject.split() in (there.split(), wanted.split()):
            became = await act(desk, job.source, remote, Field.SUBJECT, wanted, asked=True)
        else:
            log.warning("subject_not_changed", reason="somebody has changed it")
    except TicketNotFound:
        return
    except Withheld as reason:
        became = writings.WITHHELD
        log.warning("subject_not_changed", reason=str(reason))
    except Permanent:
        await desk.database.write(writings.became, job.ticket_key, Acted.REFUSED)
        raise
    await desk.database.write(writings.became, job.ticket_key, became)
