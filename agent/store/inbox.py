"""The inbox: accepted events in arrival order, worked off per ticket in that order.

Open: waiting or working. Turn: of each ticket's open events only the oldest has its turn; the others are due NEVER
until it has ended. So a ticket that waits for its retry delays only itself, and finding work costs the same however
many wait. Suspect: an event that was in work when its process died (`crashes` > 0). At most one suspect is in work at a
time, so that the next death shows which one is the cause; after MAX_CRASHES deaths it becomes a dead letter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, TypeAdapter
from sqlalchemy import ColumnElement, CursorResult, func, literal_column, text
from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from agent.domain import ticket_key
from agent.store import deferred
from agent.store.tables import Inbox, utcnow
from connectors.events import Event, Visibility

if TYPE_CHECKING:
    from procrastinate.jobs import Job as StalledJob

MAX_CRASHES = 5
"""After so many deaths of the process in a row while it was in work, a suspect becomes a dead letter."""

SUSPECT_PAUSE = timedelta(seconds=1)

OPEN = ("waiting", "working")

# Conditions with literals, for the databases use a partial index only where they see that its condition holds.
WAITING = col(Inbox.state) == literal_column("'waiting'")
DEAD = col(Inbox.state) == literal_column("'dead'")
_SUSPECT = text("crashes > 0 AND state IN ('waiting', 'working')")
OPEN_EVENTS = col(Inbox.state).in_([literal_column("'waiting'"), literal_column("'working'")])

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""`due_at` of an event that does not have its turn yet."""

PUT_OFF_AT_ONCE = 1_000


class Superseded(Exception):
    """Another worker has the event by now: the outcome of this attempt does not count."""


_VISIBILITY = {True: Visibility.STAFF_ONLY, False: Visibility.PUBLIC, None: Visibility.UNKNOWN}


def with_current_names(stored: Any) -> Any:
    """Return a stored event with today's field names, and anything else unchanged.

    Release 0.1 wrote `comment` for `message`, `comments` for `messages`, and `internal` (true, false, null) for
    `visibility`.
    """
    if not isinstance(stored, dict):
        return stored
    event = dict(stored)
    if "comment" in event:
        event["message"] = _message(event.pop("comment"))
    ticket = event.get("ticket")
    if isinstance(ticket, dict) and "comments" in ticket:
        event["ticket"] = {**ticket, "messages": [_message(comment) for comment in ticket["comments"]]}
    return event


def _message(comment: Any) -> Any:
    if not isinstance(comment, dict) or "internal" not in comment:
        return comment
    return {**comment, "visibility": _VISIBILITY[comment["internal"]]}


EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, BeforeValidator(with_current_names)])


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed event. `attempt` counts from 1."""

    seq: int
    source: str
    event: Event
    attempt: int
    received_at: datetime
    traceparent: str | None = None

    @property
    def ticket_key(self) -> str:
        """The ticket's name across systems."""
        return ticket_key(self.source, self.event.ticket_id)


def claim(session: Session, limit: int, now: datetime, open_until: Mapping[str, datetime] = {}) -> list[Job]:
    """Claim up to `limit` due events, each the oldest open one of its ticket, among them at most one suspect.

    `open_until`: until when the breakers are open of systems that fail. Their events are postponed, many at once: they
    must not hold up others.
    """
    due = select(Inbox).where(WAITING, Inbox.due_at <= now)
    if open_until:
        for row in session.exec(due.order_by(col(Inbox.due_at)).limit(PUT_OFF_AT_ONCE)):
            row.due_at = open_until.get(row.source, row.due_at)
        due = due.where(col(Inbox.source).not_in(open_until))
    rows = [*_suspect(session, due)] if limit else []
    clear = due.where(Inbox.crashes == 0).order_by(col(Inbox.due_at)).limit(limit - len(rows))
    rows += session.exec(clear).all()
    for row in rows:
        row.state = "working"
        row.attempts += 1
    return [_job(row) for row in rows]


def _suspect(session: Session, due: SelectOfScalar[Inbox]) -> Sequence[Inbox]:
    """Choose at most one suspect, the one with the fewest crashes, and none while another one is in work.

    If suspects were worked on together, a process that keeps dying for other reasons would make dead letters of all.
    """
    if _suspect_in_work(session):
        return ()
    return session.exec(due.where(_SUSPECT).order_by(col(Inbox.crashes), col(Inbox.due_at)).limit(1)).all()


def _suspect_in_work(session: Session, besides: int = 0) -> bool:
    in_work = select(Inbox.seq).where(_SUSPECT, Inbox.state == "working", Inbox.seq != besides)
    return session.exec(in_work.limit(1)).first() is not None


def give_turn(session: Session, key: str) -> None:
    """Make the oldest open event of the ticket due, if it was not yet."""
    oldest = select(func.min(Inbox.seq)).where(Inbox.ticket_key == key, OPEN_EVENTS).scalar_subquery()
    _make_due(session, col(Inbox.seq) == oldest)


def give_turns(session: Session, keys: Sequence[str] | None = None) -> None:
    """Make the oldest open event of several tickets due, or of all."""
    chosen = () if keys is None else (col(Inbox.ticket_key).in_(keys),)
    oldest = select(func.min(Inbox.seq)).where(OPEN_EVENTS, *chosen).group_by(col(Inbox.ticket_key))
    _make_due(session, col(Inbox.seq).in_(oldest))


def _make_due(session: Session, which: ColumnElement[bool]) -> None:
    turn = update(Inbox).where(which, col(Inbox.due_at) == NEVER, WAITING).values(due_at=Inbox.received_at)
    session.execute(turn, execution_options={"synchronize_session": False})


def _job(row: Inbox) -> Job:
    assert row.seq is not None  # noqa: S101 - a stored row has its key
    return Job(row.seq, row.source, EVENT.validate_json(row.event), row.attempts, row.received_at, row.traceparent)


def finish(session: Session, job: Job, now: datetime) -> None:
    """Mark the event as done, and give the next one of its ticket its turn. Raises Superseded."""
    _set(session, job, state="done", done_at=now, error=None)
    give_turn(session, job.ticket_key)


def retry(session: Session, job: Job, due_at: datetime, error: str) -> None:
    """Requeue the event after a failed attempt, to be retried at `due_at`. Raises Superseded."""
    _set(session, job, state="waiting", due_at=due_at, error=error, crashes=0)


def put_off(session: Session, job: Job, due_at: datetime) -> None:
    """Requeue the event without counting an attempt, due at `due_at`. Raises Superseded."""
    _set(session, job, state="waiting", due_at=due_at, attempts=job.attempt - 1)


def bury(session: Session, job: Job, error: str, now: datetime) -> None:
    """Make the event a dead letter: a person decides. The next one of its ticket gets its turn. Raises Superseded."""
    _set(session, job, state="dead", done_at=now, error=error)
    give_turn(session, job.ticket_key)


def _set(session: Session, job: Job, **values: object) -> None:
    mine = (col(Inbox.seq) == job.seq, col(Inbox.state) == "working", col(Inbox.attempts) == job.attempt)
    done = session.execute(
        update(Inbox).where(*mine).values(**values), execution_options={"synchronize_session": False}
    )
    if not isinstance(done, CursorResult) or done.rowcount != 1:
        raise Superseded


def recover(session: Session, now: datetime) -> int:
    """Requeue what a dead process was working on; return how many events that were.

    An event with MAX_CRASHES crashes becomes a dead letter.
    """
    stranded = session.exec(select(Inbox).where(OPEN_EVENTS, Inbox.state == "working")).all()
    for row in stranded:
        _take_back(row, now)
        row.due_at = NEVER  # give_turns decides below: a dead letter that is retried meanwhile may come first
        session.flush()
        if row.state == "dead":
            give_turn(session, row.ticket_key)
    give_turns(session)
    return len(stranded)


def _take_back(row: Inbox, now: datetime) -> None:
    row.crashes += 1
    dead = row.crashes >= MAX_CRASHES
    row.state = "dead" if dead else "waiting"
    row.error = f"the process ended {row.crashes} times while working on this"
    row.done_at = now if dead else None


def take(session: Session, seq: int) -> Job | None:
    """Claim one event whose turn another queue decides; return None where it is not open, or has to wait.

    A suspect waits while another one is in work, as in `claim`. It does not wait for itself: if it is in work already,
    its server could not keep the outcome.
    """
    row = session.get(Inbox, seq)
    if row is None or row.state not in OPEN:
        return None
    if row.crashes and _suspect_in_work(session, besides=seq):
        row.due_at = utcnow() + SUSPECT_PAUSE
        return None
    row.state = "working"
    row.attempts += 1
    return _job(row)


def take_back(session: Session, stalled: Sequence[StalledJob], now: datetime) -> Sequence[int]:
    """Requeue what servers without a heartbeat were working on; return the numbers of these events."""
    left = deferred.take_back(session.connection(), stalled)
    suspects = [seq for seq, died in left.items() if died]
    stranded = select(Inbox).where(col(Inbox.seq).in_(suspects), Inbox.state == "working").with_for_update()
    for row in session.exec(stranded).all() if suspects else ():
        _take_back(row, now)
    return list(left)


def next_due(session: Session) -> datetime | None:
    """Return when the next event is due, or None where there is none."""
    due = select(Inbox.due_at).where(WAITING, Inbox.due_at < NEVER)
    return session.exec(due.order_by(col(Inbox.due_at)).limit(1)).first()
