"""Of each ticket's open events only the oldest has its turn, however they came, ended or were brought back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from agent.store import arrivals, dead_letters, inbox, status
from agent.store.arrivals import MAX_ROWS, Arrival, accept, keep
from agent.store.database import Database
from agent.store.inbox import Job
from agent.store.tables import utcnow
from connectors.events import Event, Kind
from tests.agent.store.explained import query_plans

Put = Callable[..., list[bool]]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open_file(tmp_path / "db.sqlite3")
    yield database
    database.close()


@pytest.fixture(params=["by one statement", "in a transaction"])
def put(request: pytest.FixtureRequest, database: Database) -> Put:
    """Take in events given as (ticket, delivery id), in one batch: as the intake does, and as the poller does."""

    def take(*events: tuple[str, str]) -> list[bool]:
        arrivals = [Arrival("desk", Event(Kind.COMMENTED, t, d), b"", utcnow()) for t, d in events]
        return keep(database, arrivals) if request.param == "by one statement" else database.call(accept, arrivals)

    return take


def claimed(database: Database) -> list[Job]:
    return database.call(inbox.claim, 99, utcnow())


def names(jobs: list[Job]) -> list[str]:
    return sorted(job.event.delivery_id for job in jobs)


def test_events_of_one_ticket_in_one_batch_come_one_by_one(database: Database, put: Put) -> None:
    assert put(("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3")) == [True] * 4
    order = []
    while jobs := claimed(database):
        order.append(names(jobs))
        for job in jobs:
            database.call(inbox.finish, job, utcnow())
    assert order == [["a1", "b1"], ["a2"], ["a3"]]


def test_an_event_behind_a_repetition_is_not_left_waiting_for_it(database: Database, put: Put) -> None:
    put(("a", "a1"))
    (job,) = claimed(database)
    database.call(inbox.finish, job, utcnow())
    assert put(("a", "a1"), ("a", "a2"), ("a", "a2")) == [False, True, False]
    assert names(claimed(database)) == ["a2"]


def test_a_death_while_repetitions_are_sorted_out_leaves_nothing_half_stored(database: Database) -> None:
    keep(database, [_commented("a1")])
    (job,) = claimed(database)
    database.call(inbox.finish, job, utcnow())
    with pytest.MonkeyPatch.context() as death:
        death.setattr(arrivals, "give_turns", lambda *_: pytest.exit("killed"))
        with pytest.raises(pytest.exit.Exception):
            keep(database, [_commented("a1"), _commented("a2")])
    assert claimed(database) == []
    assert keep(database, [_commented("a1"), _commented("a2")]) == [False, True]
    assert names(claimed(database)) == ["a2"]


def _commented(delivery: str) -> Arrival:
    return Arrival("desk", Event(Kind.COMMENTED, "a", delivery), b"", utcnow())


def test_an_event_behind_one_in_work_waits_for_its_end(database: Database, put: Put) -> None:
    put(("a", "a1"))
    (job,) = claimed(database)
    put(("a", "a2"))
    assert claimed(database) == []
    database.call(inbox.retry, job, utcnow() + timedelta(hours=1), "down")
    assert claimed(database) == []
    assert database.call(inbox.next_due) > utcnow()


def test_an_attempt_at_an_event_that_another_worker_has_by_now_does_not_count(database: Database, put: Put) -> None:
    put(("a", "a1"))
    (first,) = claimed(database)
    database.call(inbox.recover, utcnow())
    (second,) = claimed(database)
    with pytest.raises(inbox.Superseded):
        database.call(inbox.finish, first, utcnow())
    database.call(inbox.finish, second, utcnow())


def test_of_two_letters_of_a_ticket_the_older_goes_first_whichever_was_retried_last(
    database: Database, put: Put
) -> None:
    put(("a", "a1"), ("a", "a2"))
    letters = []
    while jobs := claimed(database):
        letters += jobs
        database.call(inbox.bury, jobs[0], "no right", utcnow())
    for letter in letters:
        assert database.call(dead_letters.retry, letter.seq, utcnow())
    order = []
    while jobs := claimed(database):
        order += names(jobs)
        database.call(inbox.finish, jobs[0], utcnow())
    assert order == ["a1", "a2"]


def test_a_retried_letter_comes_before_the_later_events_of_its_ticket(database: Database, put: Put) -> None:
    put(("a", "a1"), ("a", "a2"), ("a", "a3"))
    (job,) = claimed(database)
    database.call(inbox.bury, job, "no right", utcnow())
    assert database.call(dead_letters.retry, job.seq, utcnow())
    order = []
    while jobs := claimed(database):
        order += names(jobs)
        database.call(inbox.finish, jobs[0], utcnow())
    assert order == ["a1", "a2", "a3"]


def test_a_retried_letter_waits_while_a_later_event_of_its_ticket_is_in_work(database: Database, put: Put) -> None:
    put(("a", "a1"), ("a", "a2"))
    (first,) = claimed(database)
    database.call(inbox.bury, first, "no right", utcnow())
    (second,) = claimed(database)
    assert database.call(dead_letters.retry, first.seq, utcnow())
    assert claimed(database) == []
    database.call(inbox.finish, second, utcnow())
    assert names(claimed(database)) == ["a1"]


def test_only_deaths_in_a_row_make_an_event_poison(database: Database, put: Put) -> None:
    """In a storm of kills an innocent event is in hand often; that it ended an attempt in between clears it."""
    put(("a", "a1"))
    for _ in range(inbox.MAX_CRASHES):
        claimed(database)
        assert database.call(inbox.recover, utcnow()) == 1
        (job,) = claimed(database)
        database.call(inbox.retry, job, utcnow(), "down")
    assert database.call(status.counts) == {"waiting": 1}


def test_a_process_that_keeps_dying_makes_no_dead_letters_of_what_it_happened_to_do(
    database: Database, put: Put
) -> None:
    put(*((f"t{n}", f"d{n}") for n in range(10)))
    for _ in range(4 * inbox.MAX_CRASHES):
        assert claimed(database)
        database.call(inbox.recover, utcnow())
    assert database.call(status.counts) == {"waiting": 10}


def test_the_event_that_kills_is_found_among_those_in_hand(database: Database, put: Put) -> None:
    put(*((f"t{n}", f"d{n}") for n in range(10)))
    dispatches = 0
    while jobs := claimed(database):
        if "d4" in names(jobs):
            dispatches += 1
            database.call(inbox.recover, utcnow())
        else:
            for job in jobs:
                database.call(inbox.finish, job, utcnow())
    assert dispatches == inbox.MAX_CRASHES
    assert database.call(status.counts) == {"dead": 1}
    assert [row.delivery_id for row in database.call(dead_letters.listed, "dead", 9)] == ["d4"]


def test_only_dead_letters_can_be_retried(database: Database, put: Put) -> None:
    put(("a", "a1"))
    assert not database.call(dead_letters.retry, 1, utcnow())
    assert not database.call(dead_letters.retry, 2, utcnow())


def test_more_events_than_one_statement_takes_are_all_kept(database: Database, put: Put) -> None:
    many = [(f"t{n}", f"d{n}") for n in range(MAX_ROWS + 5)]
    assert put(*many, many[0], ("t1", "new")) == [*[True] * len(many), False, True]


def test_looking_for_work_reads_an_index_only_of_what_is_due(database: Database) -> None:
    """A full scan would make every event dearer the more are stored."""

    def questions(session: Session) -> None:
        inbox.claim(session, 9, utcnow())
        inbox.next_due(session)
        inbox.give_turn(session, "desk:a")

    plan = query_plans(database, questions)
    assert "ix_inbox_due" in plan
    assert "ix_inbox_suspect" in plan
    assert "ix_inbox_open" in plan
    assert not re.search(r"SCAN inbox(?! USING)", plan)
