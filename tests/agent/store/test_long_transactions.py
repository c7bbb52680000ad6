"""A report and an export work on thousands of rows before they end their transaction, which PostgreSQL leaves them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import Session

from agent.domain import RoleCatalogue
from agent.feedback.exporting import known_roles
from agent.report.cases import cases
from agent.store import database as databases
from agent.store.database import HELD_SECONDS, Database
from agent.store.limits import Limit, within
from agent.store.tables import utcnow
from tests.postgres import new_database


def held(session: Session, read: Callable[[Session], object] = bool) -> str | None:
    read(session)
    return session.connection().exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()


def test_a_report_and_an_export_may_pause_for_longer_than_other_transactions(
    cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "HELD_SECONDS", HELD_SECONDS)
    now, nobody = utcnow(), RoleCatalogue(())
    report = lambda session: cases(session, now, now, nobody)  # noqa: E731
    export = lambda session: list(known_roles(session, nobody))  # noqa: E731
    database = Database.open(new_database(cluster))
    assert [database.call(held, read) for read in (report, export)] == ["5min", "5min"]
    assert database.call(within(Limit(("desk",)), held), report) == "5min"
    assert database.call(held) == "5s", "the control"
    database.close()
