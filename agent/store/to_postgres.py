"""Move an installation from SQLite to a shared PostgreSQL, in one transaction, and queue a job for every open event."""

from __future__ import annotations

from sqlalchemy import Connection, Table, func, insert, select, text
from sqlmodel import Session, SQLModel

from agent.errors import NotPossibleYet
from agent.store import coordination, deferred
from agent.store.database import Database
from agent.store.tables import Inbox

CHUNK = 1_000
"""Rows read and written at once."""


def move(source: Database, target: Database, key: bytes) -> dict[str, int]:
    """Copy all rows and the key of our marks, and return how many rows each table has now. The source is not changed.

    No server may run on either database meanwhile. Raises NotPossibleYet where the target is not empty.
    """
    if not target.clustered:
        raise NotPossibleYet("the target has to be PostgreSQL: set database_url to postgresql+psycopg://...")
    with source.engine.connect() as reading:
        return target.call(_take_over, reading, key)


def _take_over(session: Session, reading: Connection, key: bytes) -> dict[str, int]:
    writing = session.connection()
    tables = SQLModel.metadata.sorted_tables
    full = [table.name for table in tables if writing.execute(select(table).limit(1)).first() is not None]
    if full:
        raise NotPossibleYet(
            f"the target has to be empty, so name another database: there are rows in {', '.join(full)}"
        )
    copied = {table.name: _copy(reading, writing, table) for table in tables}
    coordination.agree(session, "key", key.hex())
    _queue_open_events(writing)
    return copied


def _copy(reading: Connection, writing: Connection, table: Table) -> int:
    number = 0
    order = list(table.primary_key.columns)
    for rows in reading.execute(select(table).order_by(*order)).mappings().partitions(CHUNK):
        writing.execute(insert(table), [dict(row) for row in rows])
        number += len(rows)
    counter = order[0] if len(order) == 1 and order[0].type.python_type is int else None
    if counter is not None and number:
        highest = writing.execute(select(func.max(counter))).scalar_one()
        sequence = text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest)")
        writing.execute(sequence, {"table": table.name, "column": counter.name, "highest": highest})
    return number


def _queue_open_events(writing: Connection) -> None:
    """Queue a job for every open event, oldest first, and make it waiting: no server works on it any more."""
    inbox = SQLModel.metadata.tables[str(Inbox.__tablename__)]
    writing.execute(inbox.update().where(inbox.c.state == "working").values(state="waiting"))
    waiting = select(inbox.c.seq, inbox.c.ticket_key).where(inbox.c.state == "waiting").order_by(inbox.c.seq)
    for rows in writing.execute(waiting).partitions(CHUNK):
        deferred.defer(writing, [(row.seq, row.ticket_key) for row in rows])
