"""Change a ticket in its own system: its group, tags, subject, text. Once, and never against what a person did later.

As with comments, the intent is stored before the request is sent, and whoever goes on with one looks first. What the
ticket holds is the mark: the value that we want means that it is done; one that is neither that nor what was there when
it was decided means that a person decided otherwise, and theirs stands. Where the answer to a request was lost and the
ticket is as before, either nothing happened or a person took it back at once: the system's history tells which; where
it has none, the change is made only if nobody has said anything since.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from agent.desk import sightings
from agent.desk.desk import Desk
from agent.domain import Role, fold, ticket_key
from agent.errors import NotPossibleYet
from agent.notes.speak import Speaker
from agent.store import actions, comments
from agent.store.actions import Acted, Action, GroupMove
from agent.store.tables import utcnow
from connectors.base import Change, Connector, Field
from connectors.errors import Permanent
from connectors.events import Move, Ticket

CLOCKS = timedelta(minutes=2)
"""How far the system's clock may be behind ours."""

WORDS = (Field.SUBJECT, Field.DESCRIPTION)
"""What people wrote."""

log = structlog.get_logger()


class Withheld(NotPossibleYet):
    """Nothing is changed now, for a reason that the message names; nothing of it is recorded."""


def tag_of(role: Role) -> str:
    """Return the tag that stands for a role: one word, as nearly every system wants."""
    return "role-" + re.sub(r"[^\w]+", "-", fold(role.name)).strip("-")


async def act(
    desk: Desk,
    source: str,
    ticket: Ticket,
    field: Field,
    value: str,
    *,
    asked: bool = False,
    role: str | None = None,
) -> Acted:
    """Change a ticket that was just read, unless that is held back; safe to repeat. Raises Withheld and ConnectorError.

    `asked`: a person asked for it, so that what people did before no longer counts, nor does a pause but one by hand.
    `role`: the one whose stage allows it, where nobody asked.
    """
    connector, speaker = desk.connectors[source], desk.speaker_for(source, ticket)
    if field not in connector.capabilities.changes:
        raise Withheld(f"Rolecall cannot change the {field} of a ticket of {source}, a {connector.kind}")
    if speaker.shadow:
        raise Withheld("shadow mode: nothing is changed ([triage] shadow)")
    if reason := await desk.database.read(comments.silenced, asked=asked):
        raise Withheld(f"paused: {reason}")
    key = ticket_key(source, ticket.id)
    last = await desk.database.read(actions.newest, key, field, value if field is Field.TAG else None)
    if last is not None and last.outcome == Acted.WAITING and last.value != value:
        await _finish(speaker, connector, ticket, last, only_look=True)
        ticket = await connector.read_ticket(ticket.id)
        last = await desk.database.read(actions.newest, key, field)
    if last is None or last.value != value or (asked and last.outcome != Acted.WAITING):
        intent = _intent(key, ticket, field, value, connector, last, asked=asked)
        intent.role = role
        last = await desk.database.write(actions.add, intent)
    return Acted(last.outcome) if last.outcome != Acted.WAITING else await _finish(speaker, connector, ticket, last)


def _intent(
    key: str, ticket: Ticket, field: Field, value: str, connector: Connector, last: Action | None, *, asked: bool
) -> Action:
    """Return a new intent. Where we changed the field before and nobody asks, only our own value may be replaced."""
    before = shown(ticket, field, value)
    if last is not None and not asked and field is not Field.TAG:
        before = last.value if last.outcome == Acted.DONE else last.before
    said = last_said(ticket, connector.author_id)
    return Action(ticket_key=key, field=field, value=value, before=before, last_message=said, at=utcnow())


async def _finish(
    speaker: Speaker, connector: Connector, ticket: Ticket, action: Action, *, only_look: bool = False
) -> Acted:
    """Carry an intent to its end: look, then change what is still to be changed. `only_look`: it is not wanted now."""
    if action.attempted_at is not None:
        speaker.await_end(action.name, action.attempted_at)
        ticket = await connector.read_ticket(ticket.id)
    field, moves = Field(action.field), None
    if action.attempted_at is not None and field is Field.GROUP and connector.capabilities.tells_moves:
        moves = await connector.read_moves(ticket.id)
    outcome = judge(action, ticket, connector.author_id, moves)
    if outcome is Acted.WAITING and only_look:
        outcome = Acted.OVERTAKEN
    if outcome is not Acted.WAITING:
        ours = action.attempted_at is not None
        return await _settle(speaker, ticket, action, outcome, ours=ours)
    change = Change(field, action.value, None if field is Field.TAG else action.before)
    try:
        await speaker.carry_out(action.name, partial(connector.change_ticket, ticket.id, change), actions)
    except Permanent:
        await _settle(speaker, ticket, action, Acted.REFUSED, ours=False)
        raise
    ticket = await connector.read_ticket(ticket.id)
    changed = judge(action, ticket, connector.author_id, moves) is Acted.DONE
    outcome = Acted.DONE if changed else Acted.IGNORED
    return await _settle(speaker, ticket, action, outcome, ours=True)


def judge(action: Action, ticket: Ticket, author_id: str, moves: Sequence[Move] | None) -> Acted:
    """Return what became of an intent, WAITING where its change is still to be made. `moves`: None where not known."""
    field = Field(action.field)
    now = shown(ticket, field, action.value)
    if same(field, now, action.value):
        return Acted.DONE
    if not same(field, now, action.before):
        return Acted.OVERTAKEN
    if action.attempted_at is None:
        return Acted.WAITING
    if moves is None:
        return Acted.WAITING if last_said(ticket, author_id) == action.last_message else Acted.UNSURE
    since = action.attempted_at - CLOCKS
    ours = (move for move in moves if move.author_id in (author_id, None) or not author_id)
    carried_out = any(move.at >= since and same(field, move.after, action.value) for move in ours)
    return Acted.OVERTAKEN if carried_out else Acted.WAITING


def shown(ticket: Ticket, field: Field, value: str) -> str | None:
    """Return what a ticket holds: its group, its subject, its text, or this tag where it is there."""
    match field:
        case Field.GROUP:
            return ticket.group
        case Field.SUBJECT:
            return ticket.subject
        case Field.DESCRIPTION:
            return ticket.body
        case Field.TAG:
            return next((tag for tag in ticket.tags or () if same(field, tag, value)), None)


def same(field: Field, one: str | None, other: str | None) -> bool:
    """Return whether two values are the same to a system: none minds white space, some change the case of a tag."""
    if one is None or other is None:
        return one is other
    return one.split() == other.split() if field in WORDS else fold(one) == fold(other)


def last_said(ticket: Ticket, author_id: str) -> str | None:
    """Return the id of the last message of other people."""
    return next((m.id for m in reversed(ticket.messages) if m.author_id != author_id or not author_id), None)


async def _settle(speaker: Speaker, ticket: Ticket, action: Action, outcome: Acted, *, ours: bool) -> Acted:
    """Record what became of an intent, and what the ticket shows by now: it is no news to the next look."""
    key, database = action.ticket_key, speaker.database
    await database.write(actions.settle, action.name, outcome, utcnow())
    if outcome is not Acted.DONE:
        log.warning("ticket_not_changed", field=action.field, outcome=outcome)
        return outcome
    if action.field in WORDS:
        words = action.before or ""
        was = replace(ticket, subject=words) if action.field == Field.SUBJECT else replace(ticket, body=words)
        await database.write(sightings.rewritten, key, ticket, was)
    if action.field == Field.GROUP:
        await database.write(sightings.saw, key, ticket)
        if ours:
            move = GroupMove(ticket_key=key, at=utcnow(), before=action.before, after=action.value, ours=True)
            await database.write(actions.moved, move)
    log.info("ticket_changed", field=action.field)
    return outcome
