"""What one event costs with ever more stored: accepted, claimed, decided on, said and reviewed, by the real queries."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import Connection
from sqlmodel import Session

from agent.domain import Strength
from agent.store import comments, inbox, tickets
from agent.store.arrivals import Arrival, keep
from agent.store.comments import Limits
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import Decision, Review, Ticket, utcnow
from connectors.events import Event, Kind
from connectors.events import Ticket as RemoteTicket

BATCH = 25
"""Events that one commit keeps: as many as were seen with 50 connections."""

MEMORY = 2_000
TEXT = "The printer on the second floor shows a paper jam, but there is no paper in it. " * 3

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size})"
_PAST = "datetime('now', '-' || ((({size} - i) / 60) + 120) || ' minutes')"
_FILL = (
    "INSERT INTO inbox (source, delivery_id, kind, ticket_key, content_hash, received_at, due_at, event, raw, state,"
    " attempts, crashes, done_at) {numbers} SELECT 'desk', 'old-' || i, 'created', 'desk:old-' || i,"
    " hex(randomblob(32)), {past}, {past}, json_object('kind', 'created', 'text', '{text}'), zeroblob(300), 'done', 1,"
    " 0, {past} FROM n",
    "INSERT INTO ticket (key, subject, body, filed_at) {numbers}"
    " SELECT 'desk:old-' || i, 'A jam', '{text}', {past} FROM n",
    "INSERT INTO decision (ticket_key, event_seq, at, outcome, roles, reason, detail, rules_version) {numbers}"
    " SELECT 'desk:old-' || i, i, {past}, 'clear', '[]', '', '{{}}', 'v1' FROM n",
    "INSERT INTO comment (ticket_key, marker, text, remote_id, attempted_at, posted_at) {numbers}"
    " SELECT 'desk:old-' || i, 'm', 'Role', i, {past}, {past} FROM n",
    "INSERT INTO review (ticket_key, roles, rejected, strength, origin, at) {numbers}"
    " SELECT 'desk:old-' || i, '[\"Network\"]', '[]', 1, 'old-' || i, {past} FROM n",
)
"""A past in which every event was a ticket of its own, decided on, commented and closed."""


def fill(connection: Connection, size: int) -> None:
    """Store so many finished events and what became of them."""
    parts = {"numbers": _NUMBERS.format(size=size), "past": _PAST.format(size=size), "text": TEXT}
    for statement in _FILL:
        connection.exec_driver_sql(statement.format(**parts))
    connection.exec_driver_sql("ANALYZE")


class Desk:
    """A database with a past, and a supply of new tickets."""

    def __init__(self, folder: Path, size: int) -> None:
        self.database = Database.open_file(folder / f"{size}.sqlite3")
        with self.database.engine.begin() as connection:
            fill(connection, size)
        self._numbers = count(1)

    def live(self) -> tuple[float, float]:
        """Take a batch of new tickets through their lives; return milliseconds a ticket, and to remember the latest."""
        arrivals = [self._arrival(next(self._numbers)) for _ in range(BATCH)]
        begun = time.perf_counter()
        keep(self.database, arrivals)
        worked = 0
        while jobs := self.database.call(inbox.claim, 16, utcnow()):
            for job in jobs:
                self._work(job)
            worked += len(jobs)
        assert worked == BATCH
        between = time.perf_counter()
        self.database.call(tickets.latest_reviews, MEMORY)
        return (between - begun) / BATCH * 1_000, (time.perf_counter() - between) * 1_000

    def _arrival(self, number: int) -> Arrival:
        ticket = RemoteTicket(f"new-{number}", "A jam", TEXT)
        return Arrival("desk", Event(Kind.CREATED, ticket.id, ticket.id, utcnow(), ticket=ticket), b"x" * 300, utcnow())

    def _work(self, job: Job) -> None:
        call, key = self.database.call, job.ticket_key
        call(tickets.file, Ticket(key=key, subject="A jam", body=TEXT, filed_at=utcnow()))
        call(tickets.review_that_counts, key)
        call(tickets.record, _decision(job))
        call(comments.want, key, "m", "Role")
        call(_brake)
        call(comments.attempt, key, utcnow() - timedelta(hours=2))  # an hour's comments are no part of the past
        call(comments.posted, key, "1", utcnow())
        call(tickets.review, _review(key))
        call(tickets.newest_review)
        call(inbox.finish, job, utcnow())
        call(inbox.next_due)


def _brake(session: Session) -> None:
    assert comments.brake(session, Limits(), utcnow()) is None


def _decision(job: Job) -> Decision:
    return Decision(
        ticket_key=job.ticket_key,
        event_seq=job.seq,
        at=utcnow(),
        outcome="clear",
        roles=[],
        reason="",
        detail={},
        rules_version="v1",
    )


def _review(key: str) -> Review:
    return Review(ticket_key=key, roles=["Network"], strength=Strength.CLOSED, origin=f"{key}:closed", at=utcnow())


def cost_ratios(folder: Path, sizes: Sequence[int], rounds: int) -> dict[int, float]:
    """Return by size the median cost of an event as a multiple of that with the smallest; print the medians."""
    desks = {}
    for size in sizes:
        begun = time.perf_counter()
        desks[size] = Desk(folder, size)
        print(f"{size:,} events stored in {time.perf_counter() - begun:.0f} s", flush=True)
    costs: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, desk in desks.items():
            costs[size].append(desk.live())
    medians = {size: [statistics.median(column) for column in zip(*costs[size], strict=True)] for size in sizes}
    for size, (event, memory) in medians.items():
        print(f"with {size:,} stored: {event:.2f} ms an event, {memory:.0f} ms to read the latest {MEMORY} reviews")
    return {size: medians[size][0] / medians[min(sizes)][0] for size in sizes}
