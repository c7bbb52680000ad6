"""A connector's new name reaches every row, and giving one up keeps what was learnt, on both databases."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from agent.errors import NotPossibleYet
from agent.store import connector_data, inbox, servers
from agent.store.arrivals import Arrival, accept
from agent.store.connector_data import Held
from agent.store.database import Database
from agent.store.tables import Comment, Decision, Embedding, Review, SharedFile, Ticket, Watermark, utcnow
from connectors.events import Event, Kind
from tests.postgres import ONE_WORKER, new_database

OLD, NEW, OTHER = "plant", "plant-2", "plantation"
"""OTHER begins as OLD does: it is another connector all the same."""

MANIFEST = "models/20261125T000000Z-abcdef/manifest.json"


@pytest.fixture
def database(database: Database) -> Database:
    for source in (OLD, OTHER):
        fill(database, source)
    return database


def fill(database: Database, source: str) -> None:
    """Put one row into every table that names a connector or a ticket, with events done and dead."""
    key = f"{source}:1"
    near = {"neighbours": [{"ticket": f"{name}:9", "roles": ["Network"]} for name in (OLD, OTHER)], "hits": []}
    at = {"at": utcnow()}
    rows = [
        Ticket(key=key, subject="VPN", body="down", filed_at=utcnow()),
        Decision(ticket_key=key, outcome="clear", roles=[], reason="", detail=near, rules_version="1", **at),
        Comment(ticket_key=key, marker=f"mark of {source}", text="**Role**", remote_id="7"),
        Review(ticket_key=key, roles=["Network"], strength=3, origin="x", **at),
        Embedding(ticket_key=key, encoder="e", vector=b"\0"),
        Watermark(source=source, value=f"{source} was here"),
    ]
    if source == OLD:
        rows.append(SharedFile(name=MANIFEST, part=0, content=b'{"tickets": {"train": ["plant:1"]}}'))
    database.call(lambda session: session.add_all(rows))
    events = [Event(Kind.COMMENTED, str(number), f"d{number}") for number in (1, 2)]
    database.call(accept, [Arrival(source, event, b"", utcnow()) for event in events])
    done, dead = database.call(inbox.claim, 2, utcnow())
    database.call(inbox.finish, done, utcnow())
    database.call(inbox.bury, dead, "no right", utcnow())


def rename(database: Database, old: str = OLD, new: str = NEW) -> int:
    return database.call(connector_data.rename, old, new, lambda raw: raw.replace(b"plant:", b"plant-2:"))


def told_of(database: Database, source: str) -> dict[str, str]:
    """Return, by table and column, where a row names the source, in whole or as the first part of a ticket's key."""
    found = {}
    with database.engine.connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for name, value in row.items():
                    text = value.decode("latin-1") if isinstance(value, bytes) else json.dumps(value, default=str)
                    if f'"{source}:' in text or text == f'"{source}"':
                        found[f"{table.name}.{name}"] = text
    return found


def test_no_row_keeps_the_old_name(database: Database) -> None:
    assert {name.partition(".")[0] for name in told_of(database, OLD)} == {
        *("inbox", "ticket", "decision", "comment", "review", "embedding", "watermark", "shared_file")
    }
    before, other = told_of(database, OLD), told_of(database, OTHER)
    assert rename(database) == 1
    assert told_of(database, OLD) == {}
    assert told_of(database, NEW).keys() == before.keys()
    assert told_of(database, OTHER).keys() == other.keys()


def test_the_mark_that_stands_on_the_ticket_stays(database: Database) -> None:
    rename(database)
    comment = database.call(lambda session: session.get_one(Comment, f"{NEW}:1"))
    assert (comment.marker, comment.remote_id) == (f"mark of {OLD}", "7")


def test_a_dead_letter_can_be_put_back_under_the_new_name(database: Database) -> None:
    from agent.store import dead_letters

    rename(database)
    letters = {row.source: row for row in database.call(dead_letters.listed, "dead", 10)}
    assert letters[NEW].ticket_key == f"{NEW}:2"
    assert database.call(dead_letters.retry, letters[NEW].seq, utcnow())
    (job,) = database.call(inbox.claim, 9, utcnow())
    assert (job.source, job.ticket_key) == (NEW, f"{NEW}:2")


def test_a_second_time_changes_nothing(database: Database) -> None:
    rename(database)
    after = told_of(database, NEW)
    assert rename(database) == 0
    assert told_of(database, NEW) == after


def test_a_name_that_is_taken_is_refused_and_nothing_changes(database: Database) -> None:
    before = told_of(database, OLD), told_of(database, OTHER)
    with pytest.raises(NotPossibleYet, match="there are tickets or events of plantation already"):
        rename(database, OLD, OTHER)
    assert (told_of(database, OLD), told_of(database, OTHER)) == before


def test_it_waits_for_open_events(database: Database) -> None:
    database.call(accept, [Arrival(OLD, Event(Kind.CREATED, "3", "new"), b"", utcnow())])
    with pytest.raises(NotPossibleYet, match="1 events are not worked off yet"):
        rename(database)
    assert told_of(database, NEW) == {}


def test_what_is_kept_is_counted_by_name(database: Database) -> None:
    kept = database.call(connector_data.held)
    assert kept.keys() == {OLD, OTHER}
    assert kept[OLD] == Held(tickets=1, reviews=1, comments=1, open=0, dead=1, polled_at=kept[OLD].polled_at)


def test_removing_drops_what_is_to_be_done_and_keeps_what_was_learnt(database: Database) -> None:
    database.call(accept, [Arrival(OLD, Event(Kind.CREATED, "3", "new"), b"", utcnow())])
    assert database.call(connector_data.remove, OLD, utcnow()) == 2
    kept = database.call(connector_data.held)
    assert kept[OLD] == Held(tickets=1, reviews=1, comments=1)
    assert (kept[OTHER].dead, kept[OTHER].polled_at is None) == (1, False)
    assert database.call(inbox.claim, 9, utcnow()) == []


@ONE_WORKER
def test_a_server_that_is_at_work_on_a_shared_database_is_noticed(cluster: str) -> None:
    database = Database.open(new_database(cluster))
    database.call(servers.require_none)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO procrastinate_workers DEFAULT VALUES")
    with pytest.raises(NotPossibleYet, match="1 servers work on this database"):
        database.call(servers.require_none)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '11 seconds'")
    database.call(servers.require_none)
    database.close()
