"""Keep the tokens that connected systems replace at each renewal (connectors.tokens), for all servers on a database."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Boolean, bindparam, text
from sqlmodel import Field, Session, SQLModel, col, select

from agent.store.coordination import Utc, time_column, utcnow
from connectors.errors import Transient
from connectors.tokens import CLAIM_SECONDS, LogInAgain, Pair

if TYPE_CHECKING:
    from agent.store.database import Database

PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.2


class OAuthToken(SQLModel, table=True):
    """The newest pair of tokens of a connector. They are secrets: whoever reads the database can use them.

    `login` is a hash of the log-in that they descend from; until `claimed_until` one process renews them; `spent`: the
    system takes them no more.
    """

    __tablename__ = "oauth_token"

    source: str = Field(primary_key=True)
    login: str
    access: str = ""
    refresh: str = ""
    at: datetime = Field(sa_column=time_column())
    claimed_until: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    spent: bool = False


class DatabaseKeeper:
    """Keeps pairs in the database; where it may not write, or `renew` is False, they are read and never renewed.

    While another server renews, it looks for the pair for so many seconds: a renewal is one request.
    """

    def __init__(self, database: Database, *, renew: bool = True, patience: float = PATIENCE_SECONDS) -> None:
        self._database = database
        self._renew = renew
        self._patience = patience

    async def read(self, source: str, login: str) -> Pair | None:
        """Return the newest pair. Raises LogInAgain."""
        row = await self._database.read(_find, source)
        return None if row is None or row.login != login else _pair(row)

    async def claim(self, source: str, login: str, used: str) -> Pair | None:
        """Reserve the renewal, or return the pair that another process stored. Raises Transient and LogInAgain."""
        if not self._renew:
            raise Transient(f"the token of {source} is due for renewal: a server that runs renews it")
        until = time.monotonic() + self._patience
        row, busy = await self._database.write(_claim, source, login, used, utcnow())
        while busy and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
            row, busy = await self._database.write(_claim, source, login, used, utcnow())
        if busy:
            raise Transient(f"another server is renewing the token of {source}", busy)
        return _pair(row)

    async def store(self, source: str, login: str, pair: Pair) -> None:
        """Keep a new pair, and end the reservation."""
        await self._database.write(_store, source, login, pair, utcnow())

    async def release(self, source: str, login: str) -> None:
        """End the reservation without a new pair."""
        await self._database.write(_release, source, login)

    async def spent(self, source: str, login: str, used: str) -> Pair | None:
        """Record that the refresh token is spent, or return the pair that another process stored."""
        row = await self._database.write(_spent, source, login, used)
        return None if row is None or row.spent else _pair(row)


def _pair(row: OAuthToken) -> Pair | None:
    if row.spent:
        raise LogInAgain(row.source)
    return Pair(row.access, row.refresh) if row.refresh else None


def _find(session: Session, source: str) -> OAuthToken | None:
    return session.get(OAuthToken, source)


def _locked(session: Session, source: str, login: str) -> OAuthToken | None:
    row = session.exec(select(OAuthToken).where(col(OAuthToken.source) == source).with_for_update()).first()
    return row if row is not None and row.login == login else None


def _claim(session: Session, source: str, login: str, used: str, now: datetime) -> tuple[OAuthToken, float]:
    """Return the row, and for how many seconds another process may still be renewing it."""
    sql = (
        "INSERT INTO oauth_token (source, login, access, refresh, at, spent) VALUES (:source, :login, '', '', :at, :no)"
        " ON CONFLICT (source) DO UPDATE SET login = excluded.login, access = '', refresh = '', at = excluded.at,"
        " claimed_until = NULL, spent = excluded.spent WHERE oauth_token.login <> excluded.login"
    )
    typed = text(sql).bindparams(bindparam("at", type_=Utc()), bindparam("no", type_=Boolean()))
    session.execute(typed, {"source": source, "login": login, "at": now, "no": False})
    row = session.exec(select(OAuthToken).where(col(OAuthToken.source) == source).with_for_update()).one()
    if row.spent or (row.access and row.access != used):
        return row, 0.0
    if row.claimed_until is not None and row.claimed_until > now:
        return row, min((row.claimed_until - now).total_seconds(), CLAIM_SECONDS)
    row.claimed_until = now + timedelta(seconds=CLAIM_SECONDS)
    return row, 0.0


def _store(session: Session, source: str, login: str, pair: Pair, now: datetime) -> None:
    if (row := _locked(session, source, login)) is not None:
        row.access, row.refresh, row.at, row.claimed_until = pair.access, pair.refresh, now, None


def _release(session: Session, source: str, login: str) -> None:
    if (row := _locked(session, source, login)) is not None:
        row.claimed_until = None


def _spent(session: Session, source: str, login: str, used: str) -> OAuthToken | None:
    row = _locked(session, source, login)
    if row is not None and row.access == used:
        row.spent, row.claimed_until = True, None
    return row
