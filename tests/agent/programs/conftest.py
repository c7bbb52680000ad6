"""Programs that call the whole server with a token of an account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from agent.core import Parts
from agent.pages.signing import tokens, users
from agent.pages.signing.rights import Rights
from agent.store.people import User
from agent.store.tables import utcnow
from tests.desk import Desk
from tests.serving_app import Running, running


def token_of(parts: Parts, rights: Rights, name: str = "", days: int = 9, made_days_ago: int = 0) -> str:
    """Return a token of an account with these rights, which is made where there is none."""
    name, at = name or f"the {rights}", utcnow() - timedelta(days=made_days_ago)

    def make(session: Any) -> str:
        session.merge(User(key=users.key_of(name), name=name, rights=rights, created_at=at))
        session.flush()
        return tokens.make(session, name, "a program", days, "tests", at)

    return parts.database.call(make)


def program(server: Running, token: str | None) -> httpx.AsyncClient:
    """Return a client that shows this token; None for a stranger."""
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return httpx.AsyncClient(transport=server.client._transport, base_url="http://rolecall", headers=headers)


def acting(server: Running, rights: Rights, name: str = "") -> httpx.AsyncClient:
    return program(server, token_of(server.parts, rights, name))


@pytest.fixture
async def server(parts: Parts, desk: Desk) -> AsyncIterator[Running]:
    async with running(parts, desk) as server:
        yield server


@pytest.fixture
def server_(server: Running) -> Running:
    """Return the same under another name, for tests in which `server` is the assistant's."""
    return server
