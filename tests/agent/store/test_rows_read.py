"""PostgreSQL reads no more rows for a limited account, or for words that all tickets have, than are asked for.

Its planner guesses how many rows a condition leaves, and where it guesses wrongly it reads a whole table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlmodel import Session, col, func, select

from agent.store import finding
from agent.store.database import Database
from agent.store.limits import LATEST, Limit, among_latest, within
from agent.store.search import sought
from agent.store.tables import Review
from tests.postgres import new_database

TICKETS = 3_000
FILLED = (
    "INSERT INTO ticket (key, subject, body, filed_at, \"group\") SELECT 'desk:' || i, '', '', now(),"
    f" (ARRAY['half', 'others'])[1 + mod(i, 2)] FROM generate_series(1, {TICKETS}) i",
    "INSERT INTO review (ticket_key, roles, rejected, strength, via, origin, at) SELECT key, '[]', '[]', 4, 'page',"
    " key, now() FROM ticket",
    "INSERT INTO ticket_words (number, ticket_key, words) SELECT row_number() OVER (), key,"
    " key || ' paper jam on the second floor' FROM ticket",
    "ANALYZE",
)
JOINED = (
    "SELECT ticket_key FROM review WHERE id > {} AND EXISTS (SELECT FROM ticket WHERE key = ticket_key AND"
    """ coalesce(seen ->> 'group', "group") IN ('half', 'others')) GROUP BY ticket_key ORDER BY max(id) LIMIT 150"""
)
READ = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = '{}'"


@pytest.fixture(scope="module")
def database(cluster: str) -> Iterator[Database]:
    made = Database.open(new_database(cluster))
    with made.engine.begin() as connection:
        for statement in FILLED:
            connection.exec_driver_sql(statement)
    yield made
    made.close()


def rows_read(session: Session, table: str, question: Callable[[], object]) -> int:
    """Return how many rows of a table are read for a question."""
    counted = READ.format(table)
    before = session.connection().exec_driver_sql(counted).scalar() or 0
    question()
    return int(session.connection().exec_driver_sql(counted).scalar() or 0) - before


def test_what_a_limited_account_sees_is_planned_for_its_own_groups(database: Database) -> None:
    """Not for whatever groups: those with half of all tickets ask most often."""

    def asked(session: Session, limit: Limit) -> None:
        def few(session: Session) -> None:
            session.info.pop(finding.OF_FEW, None)
            finding.of_few(session)

        within(limit, few)(session)

    def last_of_many(session: Session, mode: str = "") -> int:
        if mode:
            session.connection().exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
        for _ in range(12):  # from about the tenth time on, PostgreSQL may keep one plan
            asked(session, Limit((), ("half",)))
        return rows_read(session, "ticket", lambda: asked(session, Limit((), ("gone",))))

    assert database.call(last_of_many) == 0
    assert database.call(last_of_many, "force_generic_plan") >= TICKETS, "control"


def test_whether_somebody_sees_a_row_is_asked_of_its_own_ticket(database: Database) -> None:
    def latest(session: Session) -> None:
        found = select(Review.ticket_key).where(among_latest(session)).group_by(col(Review.ticket_key))
        assert len(session.exec(found.order_by(func.max(Review.id)).limit(150)).all()) == 150

    def joined(session: Session) -> None:
        session.connection().exec_driver_sql(JOINED.format(TICKETS - LATEST)).all()

    theirs = within(Limit((), ("half", "others")), latest)
    assert database.call(lambda session: rows_read(session, "ticket", lambda: theirs(session))) <= LATEST
    assert database.call(lambda session: rows_read(session, "ticket", lambda: joined(session))) >= TICKETS, "control"


def test_of_words_that_all_tickets_have_the_newest_are_read_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(session: Session) -> int:
        ask = lambda: finding.matching(session, sought('the "second floor" pap'), 50)  # noqa: E731
        return rows_read(session, "ticket_words", ask)

    monkeypatch.setattr(finding, "PROBED", 100)
    assert database.call(read) <= 500
    monkeypatch.setattr(finding, "OFTEN", 1_000)
    assert database.call(read) >= TICKETS, "the control: PostgreSQL asks its index of words"
