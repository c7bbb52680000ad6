"""The same happening is kept once, whether it comes twice under one id or under two."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from agent.store.arrivals import Arrival, keep
from agent.store.database import Database
from agent.store.tables import utcnow
from connectors.events import Event, Kind, Message, Visibility

AT = datetime(2026, 1, 5, tzinfo=UTC)


def kept(tmp_path: Path, *events: Event) -> list[bool]:
    database = Database.open_file(tmp_path / "db.sqlite3")
    try:
        return keep(database, [Arrival("desk", event, b"raw", utcnow()) for event in events])
    finally:
        database.close()


def test_the_same_delivery_id_is_kept_once(tmp_path: Path) -> None:
    event = Event(Kind.CREATED, "1", "d1", AT)
    assert kept(tmp_path, event, event) == [True, False]
    assert kept(tmp_path, event) == [False]


def test_one_delivery_can_tell_of_two_happenings(tmp_path: Path) -> None:
    comment = Message("7", "tech", "done", AT, visibility=Visibility.STAFF_ONLY)
    both = (Event(Kind.COMMENTED, "1", "d1", AT, comment), Event(Kind.CLOSED, "1", "d1", AT, comment))
    assert kept(tmp_path, *both) == [True, True]


def test_the_same_happening_under_another_id_is_kept_once(tmp_path: Path) -> None:
    comment = Message("7", "tech", "done", AT, visibility=Visibility.STAFF_ONLY)
    assert kept(tmp_path, *(Event(Kind.COMMENTED, "1", d, AT, comment) for d in ("d1", "d2"))) == [True, False]


def test_closing_again_after_a_reopening_is_another_happening(tmp_path: Path) -> None:
    later = datetime(2026, 1, 6, tzinfo=UTC)
    assert kept(tmp_path, Event(Kind.CLOSED, "1", "d1", AT), Event(Kind.CLOSED, "1", "d2", later)) == [True, True]


def test_a_number_that_a_restored_system_gives_again_is_another_happening(tmp_path: Path) -> None:
    later = datetime(2026, 1, 6, tzinfo=UTC)
    assert kept(tmp_path, Event(Kind.CREATED, "1", "ticket-1", AT)) == [True]
    again = Event(Kind.CREATED, "1", "ticket-1", later)
    assert kept(tmp_path, Event(Kind.CREATED, "2", "ticket-2", AT), again) == [True, True]
    assert kept(tmp_path, again, Event(Kind.CREATED, "1", "ticket-1", AT)) == [False, False]


def test_a_time_that_is_rounded_or_unknown_is_no_other_happening(tmp_path: Path) -> None:
    """Control."""
    assert kept(tmp_path, Event(Kind.CREATED, "1", "ticket-1", AT)) == [True]
    assert kept(tmp_path, Event(Kind.CREATED, "1", "ticket-1", AT.replace(microsecond=7))) == [False]
    assert kept(tmp_path, Event(Kind.CREATED, "1", "ticket-1", None)) == [False]
