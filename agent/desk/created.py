"""A ticket was created: store it as filed, decide, record the decision, comment once."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.desk.desk import Desk
from agent.store import tickets
from agent.store.inbox import Job
from agent.store.tables import Decision, Ticket, utcnow
from agent.triage.cutoffs import Abstained, Verdict
from agent.triage.opinion import Opinion
from connectors.errors import Transient
from connectors.events import Ticket as RemoteTicket
from connectors.note import Paragraph

CLOSED = "closed before Rolecall could look"
REVIEWED = "staff named the role first"


async def created(desk: Desk, job: Job) -> None:
    """Decide on a new ticket and comment on it."""
    await_head_start(job, desk.head_start, utcnow())
    remote, ticket = await desk.read(job)
    if reason := await too_late(desk, ticket, remote):
        if await desk.database.write(tickets.record, skipped(job, reason, desk.classifier.rules.version)):
            desk.metrics.decisions.labels("skipped").inc()
        return
    opinion = await desk.opinion(job, ticket.subject, ticket.body, ticket.filed_at.date())
    await decide(desk, job, remote, opinion)


def await_head_start(job: Job, head_start: timedelta, now: datetime) -> None:
    """Raise Transient while a new ticket is younger than `head_start`, which is at most an hour.

    The wait happens once, and is never longer than `head_start`, even if the clock was set.
    """
    left = min(job.received_at + head_start - now, head_start)
    if job.attempt == 1 and left > timedelta(0):
        raise Transient("delayed by [brakes] head_start_minutes", retry_after=left / timedelta(seconds=1))


async def too_late(desk: Desk, ticket: Ticket, remote: RemoteTicket) -> str | None:
    """Return why the ticket needs no comment any more, None where it does."""
    if remote.closed:
        return CLOSED
    return REVIEWED if await desk.database.read(tickets.verdict, ticket.key) is not None else None


async def decide(desk: Desk, job: Job, remote: RemoteTicket, opinion: Opinion, answer: Paragraph | None = None) -> None:
    """Record the opinion in the ledger, then comment, with the answer to a command where there was one."""
    if await desk.database.write(tickets.record, ledger_row(job, opinion, utcnow())):
        desk.metrics.decisions.labels(outcome(opinion)).inc()
    await desk.say_opinion(job, remote, opinion, answer)


def outcome(opinion: Opinion) -> str:
    """Return the outcome of an opinion as the ledger names it."""
    if isinstance(opinion.verdict, Abstained):
        return "abstained"
    return "tagged" if opinion.verdict.asserted else "guessed"


def ledger_row(job: Job, opinion: Opinion, at: datetime) -> Decision:
    """Return the ledger's row for an opinion."""
    verdict = opinion.verdict
    said = verdict if isinstance(verdict, Verdict) else None
    return Decision(
        ticket_key=job.ticket_key,
        event_seq=job.seq,
        at=at,
        outcome=outcome(opinion),
        roles=list(said.roles) if said else [],
        band=said.band if said else None,
        confidence=verdict.probability,
        reason=verdict.reason if isinstance(verdict, Abstained) else "",
        detail=opinion.detail(),
        model_version=opinion.model_version,
        rules_version=opinion.rules_version,
    )


def skipped(job: Job, reason: str, rules_version: str) -> Decision:
    """Return the ledger's row for a ticket that needs no comment."""
    return Decision(
        ticket_key=job.ticket_key,
        event_seq=job.seq,
        at=utcnow(),
        outcome="skipped",
        roles=[],
        reason=reason,
        detail={},
        rules_version=rules_version,
    )
