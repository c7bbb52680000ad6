"""What all handlers share: the collaborators, reading and filing a ticket, forming an opinion, commenting."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from agent.metrics import Metrics
from agent.notes import wording
from agent.notes.speak import Said, Speaker
from agent.store import tickets
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import Ticket, utcnow
from agent.triage.opinion import Opinion, RoleClassifier
from connectors.base import Connector
from connectors.events import Ticket as RemoteTicket
from connectors.note import Note, Paragraph


@dataclass(frozen=True, slots=True)
class Desk:
    """The collaborators of the handlers. People have `head_start` to act first on a new ticket."""

    database: Database
    connectors: Mapping[str, Connector]
    classifier: RoleClassifier
    speaker: Speaker
    metrics: Metrics
    head_start: timedelta = timedelta(0)

    async def read(self, job: Job) -> tuple[RemoteTicket, Ticket]:
        """Read the event's ticket, and return it as it is now and as it was filed.

        The filed ticket is taken from the event that created it, else from what we read first, and never changes.
        """
        remote = await self.connectors[job.source].read_ticket(job.event.ticket_id)
        seen = job.event.ticket or remote
        filed = Ticket(
            key=job.ticket_key,
            subject=seen.subject,
            body=seen.body,
            group=seen.group,
            url=seen.url or remote.url,
            filed_at=seen.created_at or remote.created_at or job.event.occurred_at or utcnow(),
        )
        return remote, await self.database.write(tickets.file, filed)

    async def opinion(self, job: Job, subject: str, body: str, on: date) -> Opinion:
        """Form an opinion on the event's ticket, off the event loop."""
        return await asyncio.to_thread(self.classifier.opinion, subject, body, on, source=job.source)

    async def say_opinion(
        self, job: Job, remote: RemoteTicket, opinion: Opinion, answer: Paragraph | None = None
    ) -> None:
        """Make our comment show the opinion, unless there is nothing to say."""
        subjects = await self.database.read(tickets.subjects, [n.ticket_key for n in opinion.neighbours])
        privately = self.connectors[job.source].capabilities.privately
        roles = self.classifier.catalogue.roles
        note = wording.of_opinion(opinion, subjects, answer, roles=roles, privately=privately)
        if note is not None:
            await self.say(job, remote, note)

    async def say(self, job: Job, remote: RemoteTicket, note: Note) -> None:
        """Make the note our comment on the ticket, which was just read. Raises ConnectorError."""
        said = await self.speaker.say(self.connectors[job.source], remote, note)
        self.metrics.comments.labels(said).inc()
        if said in (Said.POSTED, Said.EDITED):
            self.metrics.comment_delay.observe((utcnow() - job.received_at).total_seconds())
