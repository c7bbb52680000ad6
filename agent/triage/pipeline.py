"""A ticket was created: keep it as filed, decide, write the decision down, say it once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.metrics import Metrics
from agent.store import tickets
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import Decision, Ticket, utcnow
from agent.triage import wording
from agent.triage.abstention import Abstained, Verdict
from agent.triage.opinion import Opinion, RoleClassifier
from agent.triage.speak import Said, Speaker
from connectors.base import Connector
from connectors.events import Ticket as RemoteTicket


@dataclass(frozen=True, slots=True)
class Triage:
    """The handler of created tickets, with its collaborators."""

    database: Database
    connectors: Mapping[str, Connector]
    classifier: RoleClassifier
    speaker: Speaker
    metrics: Metrics

    async def created(self, job: Job) -> None:
        """Decide on a new ticket and comment on it. Raises ConnectorError; safe to repeat."""
        connector = self.connectors[job.source]
        remote = await connector.read_ticket(job.event.ticket_id)
        ticket = await self.file(job, remote)
        if reason := await self._too_late(ticket, remote):
            if await self.database.write(tickets.record, self._skipped(job, reason)):
                self.metrics.decisions.labels("skipped").inc()
            return
        opinion = await self.opinion(ticket)
        if await self.database.write(tickets.record, ledger_row(job, opinion, utcnow())):
            self.metrics.decisions.labels(outcome(opinion)).inc()
        await self.say(job, opinion)

    async def _too_late(self, ticket: Ticket, remote: RemoteTicket) -> str | None:
        if remote.closed:
            return "closed before Rolecall could look"
        reviewed = await self.database.read(tickets.verdict, ticket.key)
        return "staff named the role first" if reviewed is not None else None

    def _skipped(self, job: Job, reason: str) -> Decision:
        return Decision(
            ticket_key=job.ticket_key,
            event_seq=job.seq,
            at=utcnow(),
            outcome="skipped",
            roles=[],
            reason=reason,
            detail={},
            rules_version=self.classifier.rules.version,
        )

    async def file(self, job: Job, remote: RemoteTicket) -> Ticket:
        """Keep the ticket as filed: as the event that created it shows it, or as we see it first."""
        seen = job.event.ticket or remote
        filed = Ticket(
            key=job.ticket_key,
            subject=seen.subject,
            body=seen.body,
            group=seen.group,
            url=seen.url or remote.url,
            filed_at=seen.created_at or remote.created_at or job.event.occurred_at or utcnow(),
        )
        return await self.database.write(tickets.file, filed)

    async def opinion(self, ticket: Ticket) -> Opinion:
        """Form an opinion off the event loop."""
        return await asyncio.to_thread(self.classifier.opinion, ticket.subject, ticket.body, ticket.filed_at.date())

    async def say(self, job: Job, opinion: Opinion, note: str | None = None) -> None:
        """Bring our comment in line with the opinion, unless silence is better."""
        subjects = await self.database.read(tickets.subjects, [n.ticket_key for n in opinion.neighbours])
        text = wording.comment(opinion, subjects, note)
        if text is not None:
            await self.comment(job, text)

    async def comment(self, job: Job, text: str) -> None:
        """Make `text` our comment on the event's ticket, unless we run in the shadow. Raises ConnectorError."""
        if self.classifier.settings.shadow:
            return
        said = await self.speaker.say(self.connectors[job.source], job.event.ticket_id, text)
        self.metrics.comments.labels(said).inc()
        if said in (Said.POSTED, Said.EDITED):
            self.metrics.comment_delay.observe((utcnow() - job.received_at).total_seconds())


def outcome(opinion: Opinion) -> str:
    """Return the ledger's word for what an opinion amounts to."""
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
