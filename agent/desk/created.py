"""A ticket was created: store it as filed, decide, record the decision, comment once."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.desk.desk import Desk
from agent.desk.earned import go_on
from agent.domain import Outcome, Reason
from agent.notes.speak import Said
from agent.store import tickets
from agent.store.inbox import Job
from agent.store.stages import Stage
from agent.store.tables import Decision, Ticket, utcnow
from agent.triage.cutoffs import Verdict
from agent.triage.opinion import Opinion
from connectors.errors import Transient
from connectors.events import Kind
from connectors.events import Ticket as RemoteTicket
from connectors.note import Paragraph

SHOWN = frozenset({Said.POSTED, Said.EDITED, Said.UNCHANGED})
"""The suggestion is on the ticket."""


async def created(desk: Desk, job: Job) -> None:
    """Decide on a new ticket and comment on it."""
    await_head_start(job, desk.head_start, utcnow())
    remote, ticket = await desk.read(job)
    if reason := await too_late(desk, ticket, remote):
        await _record(desk, unneeded(job, reason, desk.classifier.rules.version))
        return
    opinion = await desk.opinion(job, ticket.subject, ticket.body, ticket.filed_at.date())
    await decide(desk, job, remote, opinion)


async def leave_alone(desk: Desk, job: Job, reason: Reason) -> None:
    """Record why nothing is said about a new ticket. Nothing else of it is kept."""
    if job.event.kind is Kind.CREATED:
        await _record(desk, unneeded(job, reason, desk.classifier.rules.version))


def await_head_start(job: Job, head_start: timedelta, now: datetime) -> None:
    """Raise Transient while a new ticket is younger than `head_start`, which is at most an hour.

    The wait happens once, and is never longer than `head_start`, even if the clock was set.
    """
    left = min(job.received_at + head_start - now, head_start)
    if job.attempt == 1 and left > timedelta(0):
        raise Transient("delayed by [brakes] head_start_minutes", retry_after=left / timedelta(seconds=1))


async def too_late(desk: Desk, ticket: Ticket, remote: RemoteTicket) -> Reason | None:
    """Return why the ticket needs no comment any more, None where it does."""
    if remote.closed:
        return Reason.CLOSED
    return Reason.STAFF_FIRST if await desk.database.read(tickets.review_that_counts, ticket.key) is not None else None


async def decide(
    desk: Desk,
    job: Job,
    remote: RemoteTicket,
    opinion: Opinion,
    answer: Paragraph | None = None,
    *,
    asked: bool = False,
) -> None:
    """Record the opinion in the ledger, then comment, with the answer to a command where there was one.

    Then do what is suggested, as far as the stage of its roles allows.
    """
    await _record(desk, ledger_row(job, opinion, utcnow()))
    said = await desk.say_opinion(job, remote, opinion, answer, asked=asked)
    clear = opinion.outcome is Outcome.CLEAR and said in SHOWN
    if clear and await desk.stage(opinion.suggested) > Stage.COMMENT:
        await go_on(desk, job)


async def _record(desk: Desk, decision: Decision) -> None:
    if await desk.database.write(tickets.record, decision):
        desk.metrics.suggestions.labels(decision.outcome, decision.reason).inc()


def ledger_row(job: Job, opinion: Opinion, at: datetime) -> Decision:
    """Return the ledger's row for an opinion."""
    verdict = opinion.verdict
    return Decision(
        ticket_key=job.ticket_key,
        event_seq=job.seq,
        at=at,
        outcome=opinion.outcome,
        roles=list(verdict.roles) if isinstance(verdict, Verdict) else [],
        confidence=verdict.probability,
        reason=opinion.reason or "",
        detail=opinion.detail(),
        model_version=opinion.model_version,
        rules_version=opinion.rules_version,
    )


def unneeded(job: Job, reason: Reason, rules_version: str) -> Decision:
    """Return the ledger's row for a ticket that needs no suggestion any more."""
    return Decision(
        ticket_key=job.ticket_key,
        event_seq=job.seq,
        at=utcnow(),
        outcome=Outcome.NONE,
        roles=[],
        reason=reason,
        detail={},
        rules_version=rules_version,
    )
