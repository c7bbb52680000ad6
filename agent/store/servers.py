"""Which servers are running on a shared database.

Procrastinate lists stalled workers only, not healthy ones, so its table is read here.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session

from agent.errors import NotPossibleYet

SILENT_SECONDS = 10.0
"""A server sends a heartbeat every two seconds; one that has been silent for so long has ended."""


def require_none(session: Session) -> None:
    """Raise NotPossibleYet while a server works on this PostgreSQL. On SQLite the data directory's lock tells."""
    if session.get_bind().dialect.name != "postgresql":
        return
    sql = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
    if count := session.connection().execute(text(sql), {"seconds": SILENT_SECONDS}).scalar_one():
        raise NotPossibleYet(f"{count} servers work on this database: stop them first")
