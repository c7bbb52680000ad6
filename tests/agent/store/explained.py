"""How SQLite would go about the queries that a function sends."""

from __future__ import annotations

from collections.abc import Callable

from sqlmodel import Session

from agent.store.database import Database


def query_plans(database: Database, questions: Callable[[Session], object]) -> str:
    """Return the plan of every statement, a step a line."""

    def explained(session: Session) -> str:
        seen: list[str] = []
        driver = session.connection().connection.driver_connection
        assert driver is not None
        driver.set_trace_callback(seen.append)
        questions(session)
        driver.set_trace_callback(None)
        return "\n".join(str(row) for sql in seen for row in driver.execute(f"EXPLAIN QUERY PLAN {sql}"))

    return database.call(explained)
