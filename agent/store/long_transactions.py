"""Transactions that take long, such as a report's: PostgreSQL ends what pauses for seconds, as a busy machine may."""

from __future__ import annotations

from sqlalchemy import Connection

MOST_SECONDS = 300


def take_time(connection: Connection) -> None:
    """Allow the transaction to pause for minutes between two statements."""
    if connection.dialect.name == "postgresql":
        setting = f"SET LOCAL idle_in_transaction_session_timeout = '{MOST_SECONDS}s'"
        connection.exec_driver_sql(setting)
