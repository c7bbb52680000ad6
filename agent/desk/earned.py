"""Do what a clear suggestion says, as far as the stage of its roles allows: tag the ticket, put it into the group.

After the suggestion was said, once for each suggestion, and never where a person has done or said anything: given a
role, taken the ticket, moved it, or tagged it for another role. What a pause or a missing right holds back is left.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from agent.desk.acting import Withheld, act, same, tag_of
from agent.desk.desk import Desk
from agent.domain import Outcome, Role
from agent.feedback.commands import Confirm, Correct, NoneOfOurs, given
from agent.ladder import moving
from agent.ladder.moving import Ladder
from agent.store import actions, tickets
from agent.store.actions import Acted
from agent.store.inbox import Job
from agent.store.stages import Stage
from agent.store.tables import utcnow
from connectors.base import Field
from connectors.errors import Permanent
from connectors.events import Ticket as RemoteTicket

log = structlog.get_logger()


async def go_on(desk: Desk, job: Job) -> None:
    """Change the ticket as its last decision says. Safe to repeat. Raises ConnectorError where it has to be repeated.

    It is the stored decision that counts: an opinion that is formed again may have changed meanwhile.
    """
    decision = await desk.database.read(tickets.last_decision, job.ticket_key)
    if decision is None or decision.outcome != Outcome.CLEAR:
        return
    catalogue = desk.classifier.catalogue
    roles = [role for name in decision.roles if (role := catalogue.lookup(name)) is not None]
    names = [role.name for role in roles]
    if not roles or await desk.stage(names) < Stage.TAG:
        return
    await _lower_where_it_turned(desk, roles)
    stage = await desk.stage(names)
    if stage >= Stage.TAG:
        await _tag(desk, job, roles)
    if stage is Stage.ASSIGN and len(roles) == 1:
        await _assign(desk, job, roles[0])


async def _lower_where_it_turned(desk: Desk, roles: Sequence[Role]) -> None:
    """Look at what people took back before anything more is done for a role."""
    ladder = Ladder(desk.classifier.catalogue, desk.bars, shadow=desk.speaker.shadow)
    for role in roles:
        for move in await desk.database.write(moving.settle, ladder, utcnow(), role.name):
            moving.tell(move)


async def _tag(desk: Desk, job: Job, roles: Sequence[Role]) -> None:
    """Add the tag of each role, unless the ticket was ever tagged for another."""
    wanted = {tag_of(role): role for role in roles}
    others = {tag_of(role) for role in desk.classifier.catalogue.roles} - wanted.keys()
    remote = await _untouched(desk, job, Field.TAG)
    last = await desk.database.read(actions.newest, job.ticket_key, Field.TAG)
    if remote is None or set(remote.tags or ()) & others or (last is not None and last.value not in wanted):
        return
    for tag, role in wanted.items():
        await _change(desk, job, remote, Field.TAG, tag, role)


async def _assign(desk: Desk, job: Job, role: Role) -> None:
    """Put the ticket into the role's group, unless it has been moved by anybody else since it was filed."""
    group, remote = role.group(job.source), await _untouched(desk, job, Field.GROUP)
    if remote is None or group is None or _taken(job, remote):
        return
    last = await desk.database.read(actions.newest, job.ticket_key, Field.GROUP)
    if last is None and desk.classifier.catalogue.of_group(job.source, remote.group) == role:
        return
    if last is not None and last.outcome not in (Acted.WAITING, Acted.DONE):
        return
    if last is None and await _moved(desk, job, remote):
        return
    if any(not move.ours for move in await desk.database.read(actions.of_ticket, job.ticket_key)):
        return
    await _change(desk, job, remote, Field.GROUP, group, role)


async def _untouched(desk: Desk, job: Job, field: Field) -> RemoteTicket | None:
    """Return the ticket as it is at this moment, None where it cannot be changed so, is closed, or has its role."""
    connector = desk.connectors[job.source]
    if field not in connector.capabilities.changes:
        return None
    remote = await connector.read_ticket(job.event.ticket_id)
    said = await desk.database.read(tickets.review_that_counts, job.ticket_key)
    return None if remote.closed or said is not None or _answered(desk, remote) else remote


def _answered(desk: Desk, remote: RemoteTicket) -> bool:
    """Return whether a message gives the ticket a role: it is there, though its event may not have come yet."""
    words = (given(m.text, desk.classifier.catalogue) for m in remote.messages)
    return any(isinstance(word, Correct | Confirm | NoneOfOurs) for word in words)


def _taken(job: Job, remote: RemoteTicket) -> bool:
    """Return whether somebody has taken the ticket since it was filed."""
    filed = job.event.ticket.assignee if job.event.ticket else None
    return remote.assignee is not None and remote.assignee != filed


async def _moved(desk: Desk, job: Job, remote: RemoteTicket) -> bool:
    """Return whether the ticket is in another group than the one that it was filed in, or its history tells a move."""
    connector = desk.connectors[job.source]
    filed = await desk.database.read(tickets.group, job.ticket_key)
    if filed is not None and not same(Field.GROUP, remote.group, filed):
        return True
    if not connector.capabilities.tells_moves:
        return False
    try:
        return bool(await connector.read_moves(remote.id))
    except Permanent as error:
        log.warning("moves_not_read", error=str(error))
        return False


async def _change(desk: Desk, job: Job, remote: RemoteTicket, field: Field, value: str, role: Role) -> None:
    try:
        outcome = await act(desk, job.source, remote, field, value, role=role.name)
    except Withheld as reason:
        log.info("ticket_not_changed", field=field, reason=str(reason))
    except Permanent as error:
        log.warning("ticket_not_changed", field=field, reason=str(error))
        desk.metrics.changes.labels(field, Acted.REFUSED).inc()
    else:
        desk.metrics.changes.labels(field, outcome).inc()
