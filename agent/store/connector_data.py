"""Count, rename and drop the data of a connector.

A connector's name is the first part of every ticket key. The marks of our comments are computed from the key that a
ticket had when it was first commented; they are kept with the comments, and stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Text, cast, func, literal
from sqlmodel import Session, col, delete, select, update

from agent.domain import in_renamed_source, source_of
from agent.errors import NotPossibleYet
from agent.store.inbox import OPEN
from agent.store.people import FeedbackLink, User
from agent.store.tables import (
    Account,
    Action,
    Audit,
    Comment,
    Decision,
    Embedding,
    GroupMove,
    Inbox,
    OAuthToken,
    Review,
    SharedFile,
    Ticket,
    TicketWords,
    Watermark,
    Writing,
)

KEYS: tuple[tuple[type[Any], Any], ...] = (
    (Inbox, Inbox.ticket_key),
    (Ticket, Ticket.key),
    (Decision, Decision.ticket_key),
    (Comment, Comment.ticket_key),
    (Review, Review.ticket_key),
    (Embedding, Embedding.ticket_key),
    (Audit, Audit.ticket_key),
    (Writing, Writing.ticket_key),
    (Action, Action.ticket_key),
    (GroupMove, GroupMove.ticket_key),
    (FeedbackLink, FeedbackLink.ticket_key),
    (TicketWords, TicketWords.ticket_key),
)
SOURCES: tuple[tuple[type[Any], Any], ...] = (
    (Inbox, Inbox.source),
    (Watermark, Watermark.source),
    (Account, Account.source),
    (OAuthToken, OAuthToken.source),
)
UNFINISHED = (*OPEN, "dead")

_UNSYNCHRONISED: dict[str, Any] = {"synchronize_session": False}
CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Held:
    """How much data one connector has. `open` events are not worked off yet, `dead` ones wait for a person."""

    tickets: int = 0
    reviews: int = 0
    comments: int = 0
    open: int = 0
    dead: int = 0
    polled_at: datetime | None = None

    def __bool__(self) -> bool:
        """Return whether there is any data."""
        return self != Held()


def held(session: Session) -> dict[str, Held]:
    """Return how much data there is, by the name of each connector and of each import."""
    counts = {table: Counter(map(source_of, session.exec(select(key)))) for table, key in KEYS[1:]}
    events = Counter(session.exec(select(Inbox.source, Inbox.state).where(col(Inbox.state).in_(UNFINISHED))).all())
    polled = {row.source: row.at for row in session.exec(select(Watermark))}
    names = {*counts[Ticket], *counts[Review], *counts[Comment], *polled, *(source for source, _ in events)}
    return {
        name: Held(
            tickets=counts[Ticket][name],
            reviews=counts[Review][name],
            comments=counts[Comment][name],
            open=sum(events[name, state] for state in OPEN),
            dead=events[name, "dead"],
            polled_at=polled.get(name),
        )
        for name in sorted(names)
    }


def rename(session: Session, old: str, new: str, manifest: Callable[[bytes], bytes]) -> int:
    """Rename a connector in all of its data, and return how many tickets it has.

    `manifest` renames the tickets in a model's manifest. Raises NotPossibleYet while events are open, for a worker may
    be in the middle of one, and where there is data under the new name already.
    """
    kept = held(session)
    before, there = kept.get(old, Held()), kept.get(new, Held())
    if before and there:
        raise NotPossibleYet(f"there are tickets or events of {new} already: choose another name")
    if open_events := before.open + there.open:
        raise NotPossibleYet(
            f"{open_events} events are not worked off yet: start the server, and wait until it is idle"
        )
    for table, key in KEYS:
        renamed = literal(new) + func.substr(key, len(old) + 1)
        session.execute(update(table).where(_of(old, key)).values({key: renamed}), _UNSYNCHRONISED)
    for table, source in SOURCES:
        session.execute(update(table).where(source == old).values({source: new}), _UNSYNCHRONISED)
    _rename_neighbours(session, old, new)
    for user in session.exec(select(User)):
        user.helpdesks = [new if name == old else name for name in user.helpdesks]
    for file in session.exec(select(SharedFile).where(col(SharedFile.name).like("models/%/manifest.json"))):
        file.content = manifest(file.content)
    return before.tickets


def remove(session: Session, source: str, now: datetime) -> int:
    """Drop a connector's unfinished events, its poll's watermark and its tokens; return how many events were dropped.

    Its tickets, decisions and reviews stay, since models learn from them, and so do its comments' marks.
    """
    session.execute(delete(Watermark).where(col(Watermark.source) == source))
    session.execute(delete(OAuthToken).where(col(OAuthToken.source) == source))
    undone = update(Inbox).where(col(Inbox.source) == source, col(Inbox.state).in_(UNFINISHED))
    dropped = session.execute(undone.values(state="dropped", done_at=now), _UNSYNCHRONISED)
    return dropped.rowcount if isinstance(dropped, CursorResult) else 0


def _of(source: str, key: Any) -> ColumnElement[bool]:
    return col(key).startswith(f"{source}:", autoescape=True)


def _rename_neighbours(session: Session, old: str, new: str) -> None:
    """Rename the connector's tickets among the neighbours that decisions on any ticket name as evidence."""
    for rows in _naming(session, old):
        for row in rows:
            near = [
                {**neighbour, "ticket": in_renamed_source(neighbour["ticket"], old, new)}
                for neighbour in row.detail.get("neighbours", ())
            ]
            row.detail = {**row.detail, "neighbours": near}
        session.flush()
        session.expunge_all()


def _naming(session: Session, source: str) -> Iterator[list[Decision]]:
    named = cast(col(Decision.detail), Text).contains(f'"{source}:', autoescape=True)
    numbers = session.exec(select(Decision.id).where(named).order_by(col(Decision.id))).all()
    for start in range(0, len(numbers), CHUNK):
        some = numbers[start : start + CHUNK]
        yield list(session.exec(select(Decision).where(col(Decision.id).in_(some))))
