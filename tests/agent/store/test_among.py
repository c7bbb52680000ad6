"""Many values travel as one parameter, and an index leads to each of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import true
from sqlmodel import Session, select

from agent.store.among import among
from agent.store.database import Database
from agent.store.search import TicketWords
from agent.store.tables import Decision, Review, Ticket, utcnow
from tests.agent.store.explained import query_plans
from tests.postgres import new_database

KEYS = ["desk:1", "desk:'2\"", "desk:é 3", "other:4"]


@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
def test_what_is_among_them_is_found_and_nothing_else(
    where: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    address = tmp_path / "db.sqlite3" if where == "sqlite" else new_database(request.getfixturevalue("cluster"))
    database = Database.open_file(address) if isinstance(address, Path) else Database.open(address)
    filed = [Ticket(key=key, subject="", body="", filed_at=utcnow()) for key in KEYS]
    database.call(lambda session: session.add_all(filed))
    for keys in (KEYS[:3], [*KEYS, "gone:1"], ["gone:1"], []):
        found = database.call(lambda session: session.exec(select(Ticket.key).where(among(Ticket.key, keys))).all())  # noqa: B023
        assert set(found) == set(keys) & set(KEYS)
    database.close()


def test_an_index_leads_to_each(tmp_path: Path) -> None:
    database = Database.open_file(tmp_path / "db.sqlite3")
    for column in (Decision.ticket_key, Review.ticket_key, TicketWords.ticket_key):

        def asked(session: Session) -> None:
            session.exec(select(column).where(among(column, KEYS))).all()  # noqa: B023

        def compared(session: Session) -> None:
            session.exec(select(column).where(among(column, KEYS) == true())).all()  # noqa: B023

        assert "(ticket_key=?)" in query_plans(database, asked)
        assert "(ticket_key=?)" not in query_plans(database, compared), "the control"
    database.close()
