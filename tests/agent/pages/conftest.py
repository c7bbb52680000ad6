"""The whole server with its pages, and browsers without a browser: clients that keep cookies and fill in forms."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from agent.core import Parts
from agent.pages.signing import sessions, users
from agent.pages.signing.rights import Rights
from agent.store.people import PageSession, User
from agent.store.tables import utcnow
from tests.desk import Desk
from tests.serving_app import Running, running


class Person:
    """Somebody in front of a browser."""

    def __init__(self, server: Running, name: str | None = None) -> None:
        self.server, self.name = server, name
        transport = server.client._transport
        self.client = httpx.AsyncClient(transport=transport, base_url="http://rolecall")

    async def see(self, path: str) -> str:
        answer = await self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.headers.get("location"))
        return answer.text

    async def post(self, path: str, form: str | None = None, **fields: Any) -> httpx.Response:
        """Post a form with the token of this browser's pages; `form` is another one."""
        if form is None:
            cookies = dict(self.client.cookies)
            token = cookies.get("rolecall") or cookies.get("rolecall-visit", "")
            form = sessions.form_token(token)
        return await self.client.post(path, data={"form": form, **fields})


def signed_in(server: Running, rights: Rights | None, name: str = "", expired: bool = False) -> Person:
    """Return somebody with these rights who has signed in, by the shortest way; with None, nobody."""
    if rights is None:
        return Person(server)
    name = name or f"the {rights}"
    now = utcnow()

    def make(session: Any) -> str:
        key = users.key_of(name)
        session.merge(User(key=key, name=name, rights=rights, created_at=now))
        token = sessions.begin(session, key, now)
        if expired:
            session.flush()
            session.get(PageSession, users.hashed(token)).expires_at = now - timedelta(seconds=1)
        return token

    person = Person(server, name)
    person.client.cookies.set("rolecall", server.parts.database.call(make))
    return person


@pytest.fixture
async def server(parts: Parts, desk: Desk) -> AsyncIterator[Running]:
    async with running(parts, desk) as server:
        yield server


def words_of(page: str) -> str:
    """Return what a reader sees of a page, roughly, on one line."""
    body = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
