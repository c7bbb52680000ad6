"""Transactions that read much and work on it: PostgreSQL would end them where a busy machine lets them pause."""

from __future__ import annotations

from sqlmodel import Session

MOST_SECONDS = 300


def take_time(session: Session) -> None:
    """Allow a transaction that only reads to pause for minutes between two statements."""
    if session.get_bind().dialect.name == "postgresql":
        setting = f"SET LOCAL idle_in_transaction_session_timeout = '{MOST_SECONDS}s'"
        session.connection().exec_driver_sql(setting)
