"""Reviews: which one counts, and that asking about the latest costs the same however many there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import Session

from agent.domain import Role, RoleCatalogue, Strength
from agent.store import comments, tickets
from agent.store.comments import Limits
from agent.store.database import Database
from agent.store.tables import Review, Ticket
from tests.agent.store.explained import query_plans

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ROLES = RoleCatalogue([Role("Network"), Role("Plumbing")])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open_file(tmp_path / "db.sqlite3")
    yield database
    database.close()


def say(database: Database, ticket: str, role: str, strength: Strength, minute: int) -> None:
    at = NOON + timedelta(minutes=minute)
    database.call(tickets.file, Ticket(key=ticket, subject=ticket, body="", filed_at=NOON))
    review = Review(ticket_key=ticket, roles=[role], strength=strength, origin=f"{ticket}-{minute}", at=at)
    assert database.call(tickets.review, review)


def test_the_tickets_of_the_latest_reviews_come_with_the_role_that_counts(database: Database) -> None:
    say(database, "old", "Network", Strength.CONFIRMED, 1)
    say(database, "corrected", "Plumbing", Strength.CORRECTED, 2)
    say(database, "closed", "Network", Strength.CLOSED, 3)
    say(database, "corrected", "Network", Strength.CLOSED, 4)
    assert [e.ticket_key for e in database.call(tickets.reviewed, ROLES)] == ["old", "corrected", "closed"]
    keys = {row.ticket_key for row in database.call(tickets.latest_reviews, 2)}
    latest = {e.ticket_key: e.roles for _, e in database.call(tickets.placed, ROLES, keys)}
    assert latest == {"corrected": ("Plumbing",), "closed": ("Network",)}


def test_what_was_replaced_is_asked_of_some_tickets_or_of_all(database: Database) -> None:
    for ticket in ("a", "b"):
        say(database, ticket, "Plumbing", Strength.CORRECTED, 1)
    assert database.call(tickets.rejected, ROLES) == {"a": (), "b": ()}
    assert database.call(tickets.rejected, ROLES, ["b"]) == {"b": ()}


def test_former_names_are_read_as_todays_and_what_was_merged_with_its_replacement_was_not_replaced(
    database: Database,
) -> None:
    say(database, "a", "network", Strength.CONFIRMED, 1)
    database.call(tickets.file, Ticket(key="b", subject="b", body="", filed_at=NOON))
    review = Review(
        ticket_key="b",
        roles=["Pipes"],
        rejected=["Drains", "NETWORK"],
        strength=Strength.CORRECTED,
        origin="b",
        at=NOON,
    )
    assert database.call(tickets.review, review)
    merged = RoleCatalogue([Role("Network"), Role("Plumbing", aliases=("Pipes", "Drains"))])
    assert {e.ticket_key: e.roles for e in database.call(tickets.reviewed, merged)} == {
        "a": ("Network",), "b": ("Plumbing",),
    }  # fmt: skip
    assert database.call(tickets.rejected, merged) == {"b": ("Network",)}


def test_the_vectors_of_many_tickets_are_kept_in_a_few_statements(database: Database) -> None:
    """While they are written, no webhook is stored: one by one, two thousand took longer than a sender waits."""
    vectors = {f"desk:{number}": np.full(3, number, dtype=np.float32) for number in range(tickets.CHUNK + 9)}
    for made_by in ("former", "some_thing/1", "someXthing/1", "some_thing/2"):
        plan = query_plans(database, lambda session: tickets.keep(session, made_by, vectors))  # noqa: B023
    assert len(plan.splitlines()) <= 9 < len(vectors)
    for made_by in ("former", "someXthing/1", "some_thing/2"):
        known = database.call(tickets.known, made_by, list(vectors))
        assert {key: list(vector) for key, vector in known.items()} == {k: list(v) for k, v in vectors.items()}, made_by
    assert database.call(tickets.known, "some_thing/1", list(vectors)) == {}


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (lambda session: comments.brake(session, Limits(), NOON), "ix_review_answer"),
        (lambda session: tickets.latest_reviews(session, 9), "ix_review_at"),
    ],
    ids=["brakes", "memory"],
)
def test_no_question_of_a_working_day_reads_every_review(
    database: Database, question: Callable[[Session], object], index: str
) -> None:
    plan = query_plans(database, question)
    assert index in plan
    assert not re.search(r"SCAN review(?! USING)", plan)
