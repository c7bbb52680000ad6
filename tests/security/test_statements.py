"""An error of the database repeats nothing of what was to be stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from agent.store.database import Database
from agent.store.tables import Ticket

WRITTEN = "canary of a ticket"


def test_an_error_of_the_database_repeats_no_text(tmp_path: Path) -> None:
    database = Database.open_file(tmp_path / "db.sqlite3")
    try:
        statement = text("INSERT INTO nowhere VALUES (:text)")
        with pytest.raises(StatementError) as caught:
            database.call(lambda session: session.execute(statement, {"text": WRITTEN}))
        assert "nowhere" in str(caught.value)
        assert WRITTEN not in str(caught.value)
        with pytest.raises(StatementError) as caught:
            database.call(lambda session: session.add(Ticket(key="a:1", subject=WRITTEN, body=None, filed_at=None)))
        assert WRITTEN not in str(caught.value)
    finally:
        database.close()
