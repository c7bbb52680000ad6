"""What all handlers share: the collaborators, reading and filing a ticket, forming an opinion, commenting."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta

import structlog

from agent.config.checks import LadderSettings
from agent.config.settings import TriageSettings
from agent.config.writing import Closure
from agent.desk.budget import await_budget
from agent.domain import REQUESTER, Reason, drawn, fold, pseudonym, ticket_key
from agent.feedback import accounts, reviews
from agent.metrics import Metrics
from agent.notes import solution, wording
from agent.notes.links import Links
from agent.notes.removal import unite
from agent.notes.speak import Said, Speaker, mark_of
from agent.store import comments, resumption, reuse, stages, tickets, writings
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.stages import Stage
from agent.store.tables import Review, Ticket, utcnow
from agent.triage.bursts import burst
from agent.triage.opinion import Opinion, RoleClassifier
from agent.writing.description import better_subject, in_short
from agent.writing.extractive import Extractive
from agent.writing.note import Writer
from agent.writing.thread import as_filed
from connectors.base import Connector
from connectors.events import Kind
from connectors.events import Ticket as RemoteTicket
from connectors.markup import by_rolecall
from connectors.note import Note, Paragraph, Section, SectionKind
from connectors.sights import Sight, another, sight

log = structlog.get_logger()


class AnotherTicket(Exception):
    """The number is another ticket's than the one that the event is about."""


class LeftAlone(Exception):
    """The settings say that nothing is done about the ticket."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def left_alone(
    scope: TriageSettings, source: str, ticket: RemoteTicket, filed_in: Iterable[str | None]
) -> Reason | None:
    """Return why a ticket is left alone, None where it is not. A pilot goes on where its tickets are moved to."""
    now, ignore = [ticket.group], scope.ignore
    sender, tags = fold(ticket.requester or ""), set(map(fold, ticket.tags or ()))
    if _in(ignore.queues, source, now):
        return Reason.IGNORED_QUEUE
    if sender and any(re.fullmatch(".*".join(map(re.escape, fold(s).split("*"))), sender) for s in ignore.senders):
        return Reason.IGNORED_SENDER
    if tags & set(map(fold, ignore.tags)):
        return Reason.IGNORED_TAG
    return Reason.OUTSIDE_PILOT if scope.only and not _in(scope.only, source, (*now, *filed_in)) else None


def _in(queues: Mapping[str, Sequence[str]], source: str, groups: Iterable[str | None]) -> bool:
    named = set(map(fold, queues.get(source, ())))
    return any(fold(group) in named for group in groups if group is not None)


@dataclass(frozen=True, slots=True)
class Desk:
    """The collaborators of the handlers. People have `head_start` to act first on a new ticket.

    `checks` is the share of new tickets that are drawn as random checks; `links` makes those in comments, if any;
    a text of more than `summary_above` words is shown in short (0: none is).
    """

    database: Database
    connectors: Mapping[str, Connector]
    classifier: RoleClassifier
    speaker: Speaker
    metrics: Metrics
    head_start: timedelta = timedelta(0)
    closure: Closure = "off"
    writer: Writer = field(default_factory=Extractive)
    checks: float = 0.0
    links: Links | None = None
    summary_above: int = 0
    bars: LadderSettings = field(default_factory=LadderSettings)
    _assigned: set[tuple[str, str]] = field(default_factory=set)
    """Accounts, by source, that are recorded as staff because a ticket was assigned to them."""

    async def read(self, job: Job, *, asked: bool = False) -> tuple[RemoteTicket, Ticket]:
        """Read the event's ticket, and return it as it is now and as it was filed.

        Raises LeftAlone, before anything of it is kept, where the settings say so and staff did not ask.

        The filed ticket is taken from the event that created it, else from what we read first, and never changes.
        Where a restored system has given its number to another ticket, that one is new. Raises AnotherTicket where the
        event is about a ticket whose number another one has by now.
        """
        remote = await self.connectors[job.source].read_ticket(job.event.ticket_id)
        seen = job.event.ticket or remote
        shown = sight(seen, self.connectors[job.source].author_id)
        if another(shown, remote):
            raise AnotherTicket
        if not asked and (reason := await self._left_alone(job, remote, seen)):
            raise LeftAlone(reason)
        requester = seen.requester or remote.requester
        filed = Ticket(
            key=job.ticket_key,
            subject=seen.subject,
            body=seen.body,
            group=seen.group,
            url=seen.url or remote.url,
            filed_at=seen.created_at or remote.created_at or job.event.occurred_at or utcnow(),
            seen=asdict(shown),
            requester=pseudonym(self.speaker.key, REQUESTER, requester) if requester else None,
            drawn=drawn(self.speaker.key, job.ticket_key, self.checks),
        )
        await self._learn_staff(job, remote)
        stored = await self.database.write(tickets.file, filed)
        if stored.seen is not None and another(Sight(**stored.seen), remote):
            filed.seen = asdict(replace(shown, changes=stored.seen["changes"]))
            stored = await self.database.write(reuse.take_number, filed)
            self.metrics.reused_numbers.labels(job.source).inc()
            log.warning("ticket_number_used_again", ticket=job.ticket_key)
        return remote, stored

    async def _left_alone(self, job: Job, remote: RemoteTicket, seen: RemoteTicket) -> Reason | None:
        filed = await self.database.read(tickets.group, job.ticket_key) if self.classifier.settings.only else None
        return left_alone(self.classifier.settings, job.source, remote, (seen.group, filed))

    async def _learn_staff(self, job: Job, remote: RemoteTicket) -> None:
        """Record to whom the ticket is assigned, now or when the event happened: these people are staff."""
        seen = {ticket.assignee for ticket in (remote, job.event.ticket) if ticket and ticket.assignee}
        new = {(job.source, account) for account in seen} - self._assigned
        if new:
            await self.database.write(accounts.assign, job.source, {account for _, account in new})
            self._assigned.update(new)

    async def opinion(self, job: Job, subject: str, body: str, on: date) -> Opinion:
        """Form an opinion on the event's ticket, off the event loop, as if it had not been reviewed."""
        return await asyncio.to_thread(
            self.classifier.opinion, subject, body, on, hidden=job.ticket_key, source=job.source
        )

    async def say_opinion(
        self,
        job: Job,
        remote: RemoteTicket,
        opinion: Opinion,
        answer: Paragraph | None = None,
        *,
        asked: bool = False,
    ) -> Said | None:
        """Make our comment show the opinion, unless there is nothing to say. Of a role in shadow, only the answer."""
        stage = await self.stage(opinion.suggested)
        note = await self.note_of(job, remote, opinion, answer)
        if stage is Stage.SHADOW and note is not None and answer is not None:
            stage, note = await self.stage(), Note((Section(SectionKind.ANSWER, (answer,)),))
        if note is not None:
            return await self.say(job, remote, note, asked=asked, stage=stage)
        await self.unite(job, remote, asked=asked)
        return None

    async def stage(self, roles: Sequence[str] = ()) -> Stage:
        """Return how far a suggestion of these roles may go; without any, whether anything is posted at all."""
        start, catalogue = Stage.of(self.bars.start), self.classifier.catalogue
        found = await self.database.read(stages.read, catalogue, start, capped=self.speaker.shadow)
        return found.together(roles)

    async def note_of(
        self, job: Job, remote: RemoteTicket, opinion: Opinion, answer: Paragraph | None = None
    ) -> Note | None:
        """Return the note on an opinion, None where there is nothing to say."""
        alike = [n.ticket_key for n in opinion.neighbours]
        memory = self.classifier.memory.current
        beside = wording.Beside(
            subjects=await self.database.read(tickets.subjects, alike),
            fixes=await self.database.read(writings.fixes, alike),
            roles=self.classifier.catalogue.roles,
            privately=self.connectors[job.source].capabilities.privately,
            link=await self.links.of(self.database, job.ticket_key, opinion) if self.links else None,
            subject=better_subject(as_filed(remote)),
            short=in_short(remote, self.summary_above),
            burst=await asyncio.to_thread(burst, self.database, memory, job.ticket_key) if memory else (),
        )
        return wording.of_opinion(opinion, beside, answer)

    async def record(self, job: Job, review: Review) -> None:
        """Record the review that an event brought."""
        store = tickets.review if job.event.occurred_at else reviews.by_our_clock
        await reviews.record(review, self.database, self.classifier.memory, self.metrics, store)

    async def say(
        self, job: Job, remote: RemoteTicket, note: Note, *, asked: bool = False, stage: Stage | None = None
    ) -> Said:
        """Make the note our comment on the ticket, which was just read; `asked` as in `Speaker.say`.

        `stage` is that of the suggested roles. Raises ConnectorError.
        """
        await self.unite(job, remote, asked=asked)
        if remote.closed:
            note = await solution.with_stored(self.database, ticket_key(job.source, remote.id), note)
        repeated = job.event.kind is Kind.CREATED and job.attempt > 1
        speaker, connector = self.speaker_for(job.source, remote), self.connectors[job.source]
        hidden = (await self.stage() if stage is None else stage) is Stage.SHADOW
        speaker = replace(speaker, shadow=True) if hidden else speaker
        said = await speaker.say(connector, remote, note, asked=asked, repeated=repeated)
        if hidden and not self.speaker.shadow:
            await self.database.write(comments.in_shadow, job.ticket_key)
        self.metrics.comments.labels(said).inc()
        if said is Said.WITHHELD and job.event.kind is Kind.RESUMED:
            await await_budget(self.database)
        elif said is Said.WITHHELD:
            await self.database.write(resumption.after_budget, job, utcnow())
        if said in (Said.POSTED, Said.EDITED):
            self.metrics.comment_delay.observe((utcnow() - job.received_at).total_seconds())
        return said

    def speaker_for(self, source: str, remote: RemoteTicket) -> Speaker:
        """Return who posts on a ticket: in queues that are in shadow nobody does."""
        shadow = self.classifier.settings.shadow
        silent = isinstance(shadow, dict) and _in(shadow, source, [remote.group])
        return replace(self.speaker, shadow=True) if silent else self.speaker

    async def unite(self, job: Job, remote: RemoteTicket, *, asked: bool = False) -> None:
        """Leave one comment of ours on the ticket, which was just read, where others came with merged tickets."""
        mark, author = mark_of(self.speaker.key, job.ticket_key), self.connectors[job.source].author_id
        theirs = [m for m in remote.messages if m.author_id == author and mark not in m.text and by_rolecall(m.text)]
        if not theirs or self.speaker_for(job.source, remote).shadow:
            return
        if await self.database.read(comments.silenced, asked=asked) is None:
            await unite(self.speaker, self.connectors[job.source], remote, theirs)
