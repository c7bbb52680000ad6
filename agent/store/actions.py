"""What Rolecall changed on tickets, one row for each intent, and the moves of tickets between groups, with their times.

An intent is stored before its request is sent. One without an outcome may have been carried out: whoever goes on with
it looks at the ticket first (agent.desk.acting).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Field, Session, SQLModel, col, delete, select

from agent.domain import fold
from agent.store.coordination import time_column

JUST_AFTER = timedelta(microseconds=1)


class Acted(StrEnum):
    """What became of an intent. WAITING has no outcome yet; all others are final."""

    WAITING = "waiting"
    DONE = "done"
    OVERTAKEN = "overtaken"
    """A person has changed the same since: theirs stands."""
    UNSURE = "unsure"
    """The answer to our request was lost, and people have done something on the ticket since: it is left alone."""
    REFUSED = "refused"
    """The system refuses it for good."""
    IGNORED = "ignored"
    """The system took the request and changed nothing."""


class Action(SQLModel, table=True):
    """A change of a ticket that we want. `before`: what the field held when it was decided on.

    `last_message`: the last message of other people by then. An `attempted_at` without outcome means that the request
    may have been carried out. `role`: the one whose stage allowed it, None where a person asked.
    """

    id: int | None = Field(default=None, primary_key=True)
    ticket_key: str = Field(index=True)
    field: str
    value: str
    before: str | None = None
    last_message: str | None = None
    role: str | None = Field(default=None, index=True)
    at: datetime = Field(sa_column=time_column())
    attempted_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    settled_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    outcome: str = Acted.WAITING

    @property
    def name(self) -> str:
        """What identifies the intent: its ticket's key, and its number."""
        return f"{self.ticket_key}/{self.id}"


class GroupMove(SQLModel, table=True):
    """A ticket went from one group to another. `ours`: Rolecall moved it; `told`: the system's history says so."""

    __tablename__ = "group_move"

    id: int | None = Field(default=None, primary_key=True)
    ticket_key: str = Field(index=True)
    at: datetime = Field(sa_column=time_column())
    before: str | None = None
    after: str | None = None
    ours: bool = False
    told: bool = False


def newest(session: Session, key: str, field: str, value: str | None = None) -> Action | None:
    """Return the newest intent for a field of a ticket, None where there is none; of one value where it is given."""
    rows = select(Action).where(Action.ticket_key == key, Action.field == field)
    rows = rows if value is None else rows.where(Action.value == value)
    return session.exec(rows.order_by(col(Action.id).desc()).limit(1)).first()


def add(session: Session, action: Action) -> Action:
    """Store an intent, and return it with its number."""
    session.add(action)
    session.flush()
    return action


def attempt(session: Session, key: str, at: datetime) -> datetime:
    """Record, before the request is sent, that the change may be carried out from now on; return that time.

    It differs from every earlier attempt's, even if the clock was set back.
    """
    action = _named(session, key)
    action.attempted_at = max(at, action.attempted_at + JUST_AFTER) if action.attempted_at else at
    return action.attempted_at


def refused(session: Session, key: str, at: datetime) -> None:
    """Record that the attempt made at `at` had no effect: the system refused it, or was never reached."""
    action = _named(session, key)
    if action.attempted_at == at:
        action.attempted_at = None


def settle(session: Session, key: str, outcome: Acted, at: datetime) -> None:
    """Record what became of an intent."""
    action = _named(session, key)
    action.outcome, action.settled_at = outcome, at


def ours(session: Session, key: str, group: str | None) -> bool:
    """Return whether Rolecall put the ticket into this group, and nobody has moved it since."""
    action = newest(session, key, "group")
    if action is None or action.attempted_at is None or action.outcome not in (Acted.WAITING, Acted.DONE):
        return False
    since = [move for move in of_ticket(session, key) if move.at > action.attempted_at and not move.ours]
    return not since and fold(action.value) == fold(group or "")


def moved(session: Session, move: GroupMove, filed: str | None = None) -> None:
    """Record a move that no history tells, unless the last one led to the same group; `filed`: the first group."""
    known = of_ticket(session, move.ticket_key)
    if known and known[-1].after == move.after:
        return
    if move.before is None:
        move.before = known[-1].after if known else filed
    session.add(move)


def keep_history(session: Session, key: str, moves: Sequence[GroupMove]) -> None:
    """Put what the system's own history tells of a ticket's moves in the place of what was known."""
    session.execute(delete(GroupMove).where(col(GroupMove.ticket_key) == key))
    session.add_all(moves)


def of_ticket(session: Session, key: str) -> Sequence[GroupMove]:
    """Return a ticket's moves, oldest first."""
    rows = select(GroupMove).where(GroupMove.ticket_key == key)
    return session.exec(rows.order_by(col(GroupMove.at), col(GroupMove.id))).all()


def _named(session: Session, key: str) -> Action:
    return session.get_one(Action, int(key.rpartition("/")[2]))
