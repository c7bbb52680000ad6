"""Tokens that a system replaces at each renewal: stored before they are used, renewed by one server at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from agent.core import Parts
from agent.store.database import Database
from agent.store.tables import OAuthToken, utcnow
from agent.store.tokens import DatabaseKeeper
from connectors.errors import Ambiguous, Permanent, Transient
from connectors.manifest.catalogue import document_of, kind_of
from connectors.manifest.connector import ManifestConnector
from connectors.tokens import LogInAgain, Pair
from tests.connectors.systems.desks import Zendesk

pytestmark = pytest.mark.anyio

SOURCE = "plant-2"


class Rotating(Zendesk):
    """Deletes both old tokens at each renewal; `logged_in` is what the next log-in gives."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.valid: tuple[str, str] = ("", "log-in-1")
        self.renewals = 0
        self.lose_answer = False
        self.unstored: list[str] = []
        """Tokens that were used before they were stored."""

    def log_in(self, name: str) -> None:
        self.valid = ("", name)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/tokens":
            return self.renew(json.loads(request.content))
        used = request.headers["authorization"].removeprefix("Bearer ")
        if used != self.valid[0]:
            return httpx.Response(401, json={"error": "invalid_token"})
        row = self.database.call(lambda session: session.get(OAuthToken, SOURCE))
        self.unstored += [used] if row is None or row.access != used else []
        request.headers["authorization"] = f"Bearer token-{self.tokens}"
        return super().__call__(request)

    def renew(self, given: dict[str, Any]) -> httpx.Response:
        self.renewals += 1
        if (given["grant_type"], given["refresh_token"]) != ("refresh_token", self.valid[1]):
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.valid = (f"access-{self.renewals}", f"refresh-{self.renewals}")
        if self.lose_answer:
            self.lose_answer = False
            return httpx.Response(502)
        return httpx.Response(200, json={"access_token": self.valid[0], "refresh_token": self.valid[1]})


class Killed(BaseException):
    """The process ends here."""


class Mortal(DatabaseKeeper):
    """Its process is killed between the system's answer and its storing."""

    async def store(self, source: str, login: str, pair: Pair) -> None:
        raise Killed


@pytest.fixture
def database(parts_for: Callable[..., Parts]) -> Database:
    return parts_for().database


@pytest.fixture
def system(database: Database) -> Rotating:
    system = Rotating(database)
    system.file("Pump 7 leaks")
    return system


def connect(system: Rotating, keeper: DatabaseKeeper | None, login: str = "log-in-1") -> ManifestConnector:
    document = document_of("zendesk")
    document["secrets"] = [*document["secrets"], "refresh_token"]
    document["api"]["auth"] |= {"grant": "refresh_token", "refresh_token": "{refresh_token}"}
    kind = kind_of("rotating", document)
    given = {"url": system.url, "client_id": "c", "client_secret": "s", "refresh_token": login, "author_id": "99"}
    settings = TypeAdapter(kind.settings).validate_python(given | {"webhook_secrets": "x" * 32})
    client = httpx.AsyncClient(base_url=f"{system.url}/api/v2/", transport=httpx.MockTransport(system))
    connector = ManifestConnector("rotating", SOURCE, kind.manifest, settings, client)
    connector.tokens = keeper
    return connector


async def read(connector: ManifestConnector) -> str:
    return (await connector.read_ticket("101")).subject


def time_passes(database: Database) -> None:
    """The reservation of a process that was killed runs out."""

    def expire(session: Any) -> None:
        session.get(OAuthToken, SOURCE).claimed_until = utcnow() - timedelta(seconds=1)

    database.call(expire)


async def test_a_pair_is_stored_before_it_is_used_and_a_fresh_process_goes_on_with_it(
    system: Rotating, database: Database
) -> None:
    for _ in range(2):
        assert await read(connect(system, DatabaseKeeper(database))) == "Pump 7 leaks"
    assert (system.renewals, system.unstored) == (1, [])
    system.valid = ("", system.valid[1])  # the access token runs out
    running = connect(system, DatabaseKeeper(database))
    assert await read(running) == "Pump 7 leaks"
    assert (system.renewals, system.unstored) == (2, [])


async def test_of_two_servers_one_renews_and_both_go_on(system: Rotating, database: Database) -> None:
    servers = [connect(system, DatabaseKeeper(database)) for _ in range(2)]
    for round_ in range(3):
        system.valid = ("", system.valid[1])
        answers = await asyncio.gather(*(read(server) for server in servers for _ in range(3)))
        assert set(answers) == {"Pump 7 leaks"}, "the one that comes second waits a moment for the pair"
        assert system.renewals == 1 + round_
    assert system.unstored == []


async def test_control_servers_that_do_not_share_what_they_keep_lock_each_other_out(
    system: Rotating, database: Database, parts_for: Callable[..., Parts]
) -> None:
    alone = [connect(system, DatabaseKeeper(database)), connect(system, _Elsewhere())]
    assert await read(alone[0]) == "Pump 7 leaks"
    with pytest.raises(LogInAgain):
        await read(alone[1])


class _Elsewhere(DatabaseKeeper):
    """Knows of no pair, and of no other server."""

    def __init__(self) -> None:
        pass

    async def read(self, source: str, login: str) -> Pair | None:
        return None

    async def claim(self, source: str, login: str, used: str) -> Pair | None:
        return None

    async def spent(self, source: str, login: str, used: str) -> Pair | None:
        return None


async def test_killed_between_answer_and_storing_one_new_log_in_is_asked_for_and_everything_waits(
    system: Rotating, database: Database
) -> None:
    with pytest.raises(Killed):
        await read(connect(system, Mortal(database)))
    survivor = connect(system, DatabaseKeeper(database, patience=0))
    with pytest.raises(Transient, match="another server") as waiting:
        await read(survivor)
    assert 0 < (waiting.value.retry_after or 0) <= 90
    time_passes(database)
    asked = system.renewals
    for connector in (survivor, survivor, connect(system, DatabaseKeeper(database))):
        with pytest.raises(LogInAgain, match="ROLECALL_CONNECTORS__PLANT_2__REFRESH_TOKEN"):
            await read(connector)
    assert system.renewals == asked + 1  # once it is known, the system is not asked again
    assert issubclass(LogInAgain, Transient)  # events wait, none is set aside at once
    system.log_in("log-in-2")
    again = [connect(system, DatabaseKeeper(database), "log-in-2") for _ in range(2)]
    assert [await read(connector) for connector in again] == ["Pump 7 leaks"] * 2
    assert system.unstored == []


async def test_killed_before_the_request_nothing_is_lost(system: Rotating, database: Database) -> None:
    keeper = DatabaseKeeper(database, patience=0)
    connector = connect(system, keeper)
    assert await read(connector) == "Pump 7 leaks"
    system.valid = ("", system.valid[1])
    login = (database.call(lambda session: session.get(OAuthToken, SOURCE))).login  # type: ignore[union-attr]
    await keeper.claim(SOURCE, login, "access-1")
    with pytest.raises(Transient, match="another server"):
        await read(connector)
    time_passes(database)
    assert await read(connector) == "Pump 7 leaks"


async def test_a_server_that_comes_too_late_takes_what_another_has_stored(system: Rotating, database: Database) -> None:
    class Late(DatabaseKeeper):
        """Was suspended after its claim, until another server had renewed."""

        async def claim(self, source: str, login: str, used: str) -> Pair | None:
            pair = await super().claim(source, login, used)
            time_passes(database)
            assert await read(connect(system, DatabaseKeeper(database))) == "Pump 7 leaks"
            return pair

    assert await read(connect(system, Late(database))) == "Pump 7 leaks"
    assert system.renewals == 2


async def test_an_answer_that_is_lost_ends_in_a_log_in_and_a_refusal_does_not(
    system: Rotating, database: Database
) -> None:
    system.lose_answer = True
    connector = connect(system, DatabaseKeeper(database))
    with pytest.raises(Ambiguous):
        await read(connector)
    with pytest.raises(LogInAgain):
        await read(connector)


async def test_without_somebody_who_keeps_them_tokens_are_not_renewed(system: Rotating, database: Database) -> None:
    with pytest.raises(Permanent, match="nothing keeps them"):
        await read(connect(system, None))
    with pytest.raises(Transient, match="a server that runs"):
        await read(connect(system, DatabaseKeeper(database, renew=False)))
    assert system.renewals == 0
    assert await read(connect(system, DatabaseKeeper(database))) == "Pump 7 leaks"
    assert await read(connect(system, DatabaseKeeper(database, renew=False))) == "Pump 7 leaks"
