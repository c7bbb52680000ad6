"""What staff do with a ticket becomes a review: a reply command at once, the handling role when the ticket closes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from agent.domain import Strength
from agent.feedback.commands import Confirm, Correct, NotUnderstood, parse
from agent.store import tickets
from agent.store.inbox import Job
from agent.store.tables import Decision, Review, utcnow
from agent.triage import wording
from agent.triage.pipeline import Triage
from agent.triage.speak import by_rolecall
from connectors.events import Visibility

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Feedback:
    """The handlers of replies and closures."""

    triage: Triage

    async def commented(self, job: Job) -> None:
        """Obey a command in a staff-only reply and answer in our comment. Raises ConnectorError; safe to repeat.

        Customers cannot write staff-only comments, so none of them can teach us. Nor can another installation on the
        same system: two that obeyed each other's comments would talk without end.
        """
        message = job.event.message
        if message is None or message.visibility is not Visibility.STAFF_ONLY or by_rolecall(message.text):
            return
        command = parse(message.text, self.triage.classifier.catalogue)
        if command is None:
            return
        connector = self.triage.connectors[job.source]
        ticket = await self.triage.file(job, await connector.read_ticket(job.event.ticket_id))
        decision = await self.triage.database.read(tickets.last_decision, ticket.key)
        named = decision.roles if decision else []
        if isinstance(command, NotUnderstood):
            note = wording.unknown_role(command.name, command.close)
            await self.triage.say(job, await self.triage.opinion(ticket), note)
        elif isinstance(command, Correct):
            await self._settle(job, command.roles, Strength.CORRECTED, "corrected", decision)
        elif isinstance(command, Confirm) and named:
            await self._settle(job, tuple(named), Strength.CONFIRMED, "confirmed", decision)

    async def closed(self, job: Job) -> None:
        """Take the role that handled the ticket as its label, weaker where it is the one that we had suggested."""
        connector = self.triage.connectors[job.source]
        remote = await connector.read_ticket(job.event.ticket_id)
        ticket = await self.triage.file(job, remote)
        await self.triage.database.write(tickets.close, ticket.key, job.event.occurred_at or utcnow())
        role = self.triage.classifier.catalogue.of_group(job.source, remote.group)
        if role is None:
            return
        decision = await self.triage.database.read(tickets.last_decision, ticket.key)
        suggested = decision is not None and role.name in decision.roles
        strength = Strength.CLOSED_AS_SUGGESTED if suggested else Strength.CLOSED
        await self._review(job, (role.name,), strength, decision)

    async def _settle(
        self, job: Job, roles: tuple[str, ...], strength: Strength, how: str, decision: Decision | None
    ) -> None:
        if set(roles) == set(decision.roles if decision else ()):
            strength, how = Strength.CONFIRMED, "confirmed"  # the same role named again is agreement
        await self._review(job, roles, strength, decision)
        await self.triage.comment(job, wording.settled(roles, how))

    async def _review(self, job: Job, roles: tuple[str, ...], strength: Strength, decision: Decision | None) -> None:
        corrected = strength is Strength.CORRECTED and decision is not None
        review = Review(
            ticket_key=job.ticket_key,
            roles=list(roles),
            rejected=[role for role in decision.roles if role not in roles] if corrected and decision else [],
            strength=strength,
            origin=job.event.delivery_id + ":" + job.event.kind,
            actor=job.event.message.author_id if job.event.message else None,
            at=job.event.occurred_at or utcnow(),
        )
        if await self.triage.database.write(tickets.review, review):
            self.triage.metrics.reviews.labels(strength.name.lower()).inc()
            log.info("reviewed", strength=strength.name.lower())
            await asyncio.to_thread(self.triage.classifier.memory.refresh)
