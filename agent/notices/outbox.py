"""What is to be told and what was, in the database: conditions that hold, and the messages that say so.

A condition is told once. It has ended when no server has seen it for QUIET; then a new one is news again. All that is
new at a time goes into one message; it is tried for each address until it is delivered, less and less often.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from agent.notices.conditions import Condition
from agent.store import coordination
from agent.store.tables import SharedValue

CONDITION, MESSAGE = "notice of ", "notice sent "
"""What the names of the shared values begin with."""

QUIET = timedelta(minutes=15)
DAY, KEPT = timedelta(days=1), timedelta(days=7)
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440))
"""Before the 2nd, 3rd, ... attempt at an address; after the last one it is given up."""


@dataclass(frozen=True, slots=True)
class Told:
    """A condition: its words, when it was last seen, and whether it was told."""

    text: str
    over: str | None
    seen: str
    told: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message. `left`: the numbers of the addresses that have not got it, from 1; `due`: None where given up."""

    title: str
    body: str
    left: tuple[int, ...]
    due: str | None
    tries: int = 0
    error: str | None = None


def note(session: Session, held: Iterable[Condition], now: datetime) -> None:
    """Record what holds now."""
    for condition in held:
        name = CONDITION + condition.key
        known = coordination.value(session, name)
        told = known is not None and Told(**json.loads(known)).told
        coordination.put(session, name, _text(Told(condition.text, condition.over, now.isoformat(), told)))


def gather(session: Session, addresses: int, most_per_day: int, now: datetime) -> None:
    """Write a message of all that is new, unless the day has had its messages; what has ended is news once, too."""
    held = {row.name: Told(**json.loads(row.value)) for row in _rows(session, CONDITION)}
    ended = {name for name, told in held.items() if now - datetime.fromisoformat(told.seen) > QUIET}
    new = [told.text for name, told in held.items() if not told.told and name not in ended]
    over = [f"Over: {told.over}" for name, told in held.items() if name in ended and told.told and told.over]
    messages = _rows(session, MESSAGE)
    for row in messages:
        if now - row.at > KEPT:
            session.delete(row)
    if (new or over) and sum(now - row.at < DAY for row in messages) >= most_per_day:
        return
    for name, told in held.items():
        coordination.put(session, name, None if name in ended else _text(replace(told, told=True)))
    if new or over:
        message = Message(_title(new), _body(new + over), tuple(range(1, addresses + 1)), now.isoformat())
        session.merge(SharedValue(name=MESSAGE + now.isoformat(), value=_text(message), at=now))


def due(session: Session, now: datetime) -> list[tuple[str, Message]]:
    """Return the messages that are to be tried now, by name, the oldest first."""
    return [(name, message) for name, message in kept(session) if message.due and message.due <= now.isoformat()]


def tried(session: Session, name: str, failed: Mapping[int, str], now: datetime) -> None:
    """Record which addresses of a message failed, by number, and why; the others have got it."""
    row = session.get_one(SharedValue, name)
    before = _message(row)
    wait = PAUSES[before.tries] if failed and before.tries < len(PAUSES) else None
    error = "; ".join(f"address {number}: {reason}" for number, reason in failed.items()) or before.error
    row.value = _text(
        replace(
            before,
            left=tuple(failed),
            due=(now + wait).isoformat() if wait else None,
            tries=before.tries + 1,
            error=error,
        )
    )


def kept(session: Session) -> list[tuple[str, Message]]:
    """Return the messages of the last days, by name, the oldest first."""
    return [(row.name, _message(row)) for row in _rows(session, MESSAGE)]


def _rows(session: Session, prefix: str) -> Sequence[SharedValue]:
    named = select(SharedValue).where(col(SharedValue.name).startswith(prefix))
    return session.exec(named.order_by(col(SharedValue.name))).all()


def _message(row: SharedValue) -> Message:
    values = json.loads(row.value)
    return Message(**{**values, "left": tuple(values["left"])})


def _text(row: Told | Message) -> str:
    return json.dumps(asdict(row))


def _title(new: Sequence[str]) -> str:
    if not new:
        return "Rolecall: it is over"
    return "Rolecall: something to look at" if len(new) == 1 else f"Rolecall: {len(new)} things to look at"


def _body(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}." for line in lines)
