"""`rolecall check` names the days on which somebody gave more labels than teach."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from agent.feedback import reviews
from agent.store.database import Database
from agent.store.tables import Ticket, utcnow
from tests.agent.checks.conftest import CheckThat


def flood(folder: Path, at: datetime, count: int, requester: str | None, account: str | None) -> None:
    """Store the closures of tickets that were filed at once."""

    def write(session: Session) -> None:
        for number in range(count):
            key = f"desk:{number}"
            session.add(Ticket(key=key, subject="printer", body="", filed_at=at, requester=requester))
            session.add(reviews.closure(key, "Network", (), origin="o", at=at, actor=account))

    folder.mkdir()
    database = Database.open_file(folder / "rolecall.sqlite3")
    database.call(write)
    database.close()


def lines(check: CheckThat) -> list[str]:
    return [line.removeprefix("warn learning: ") for line in check() if line.startswith("warn learning: ")]


def test_a_requesters_flood_is_named_by_a_ticket_and_by_no_pseudonym(check: CheckThat, tmp_path: Path) -> None:
    flood(tmp_path / "data", utcnow(), 50, "0123abcd", None)
    (line,) = lines(check)
    assert line.startswith(
        f"one requester filed 50 tickets on {utcnow():%Y-%m-%d}, most went to Network; more than 5 a"
    )
    assert "50 of these teach nothing. One of them is desk:0." in line
    assert "0123abcd" not in line


def test_an_accounts_flood_is_named_once_and_for_a_week(check: CheckThat, tmp_path: Path) -> None:
    flood(tmp_path / "data", utcnow() - timedelta(days=6), 15, None, "kim")
    (line,) = lines(check)
    assert line.startswith("account kim closed 15 tickets on ")


def test_control_what_is_usual_is_not_named_nor_what_is_a_week_old(check: CheckThat, tmp_path: Path) -> None:
    flood(tmp_path / "data", utcnow() - timedelta(days=8), 50, "0123abcd", "kim")
    assert lines(check) == []
