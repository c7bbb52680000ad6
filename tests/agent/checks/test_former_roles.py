"""`rolecall check` names what roles were called once, where no role has that as an alias."""

from __future__ import annotations

from pathlib import Path

from sqlmodel import Session

from agent.feedback import reviews
from agent.store.database import Database
from agent.store.tables import Ticket, utcnow
from tests.agent.checks.conftest import CheckThat


def test_what_a_role_was_called_is_named_where_no_role_has_it_as_an_alias(check: CheckThat, tmp_path: Path) -> None:
    def write(session: Session) -> None:
        for number, role in enumerate(("Network", "Old team", "Old team")):
            session.add(Ticket(key=f"desk:{number}", subject="vpn", body="", filed_at=utcnow()))
            session.add(reviews.closure(f"desk:{number}", role, (), origin="o", at=utcnow(), actor=None))

    (tmp_path / "data").mkdir()
    database = Database.open_file(tmp_path / "data" / "rolecall.sqlite3")
    database.call(write)
    database.close()
    (line,) = [line for line in check() if "which no role is called" in line]
    assert line.startswith("warn roles: reviewed tickets have 'Old team' (2), which no role")
