"""What servers share through the database is decided once, whoever comes first."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from agent.store import coordination
from agent.store.database import Database
from agent.store.tables import utcnow


def test_a_run_of_a_job_is_taken_once(tmp_path: Path) -> None:
    one, two = (Database.open_file(tmp_path / "db.sqlite3") for _ in range(2))
    taken = [d.call(coordination.take_tick, "train", slot, utcnow()) for slot in ("mon", "tue") for d in (one, two)]
    one.close()
    two.close()
    assert taken == [True, False, True, False]


def test_one_server_leads_and_another_when_it_has_been_silent_for_too_long(tmp_path: Path) -> None:
    database, now, patience = Database.open_file(tmp_path / "db.sqlite3"), utcnow(), timedelta(minutes=5)
    asked = [("a", 0), ("b", 1), ("a", 2), ("b", 7), ("b", 8), ("a", 9)]
    leads = [
        database.call(coordination.lead, "notices", server, now + timedelta(minutes=minute), patience)
        for server, minute in asked
    ]
    database.close()
    assert leads == [True, False, True, False, True, False]


def test_the_first_proposal_becomes_the_value_of_all(tmp_path: Path) -> None:
    database = Database.open_file(tmp_path / "db.sqlite3")
    agreed = [database.call(coordination.agree, "key", proposal) for proposal in ("a", "b")]
    database.close()
    assert agreed == ["a", "a"]


def test_a_value_can_be_changed_and_removed(tmp_path: Path) -> None:
    database = Database.open_file(tmp_path / "db.sqlite3")
    seen = []
    for new in ("x", "y", None):
        database.call(coordination.put, "brake", new)
        seen.append(database.call(coordination.value, "brake"))
    database.close()
    assert seen == ["x", "y", None]
