"""A provider says who somebody is; what it says has to hold, and the account has to be theirs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey
from pydantic import ValidationError
from sqlmodel import select

from agent.config.sign_in import SignInSettings
from agent.core import Parts
from agent.pages.signing import users
from agent.pages.signing.rights import Rights
from agent.store.people import Audit
from agent.store.tables import utcnow
from tests.agent.pages.conftest import Person
from tests.desk import Desk
from tests.serving_app import Running, running
from tests.stubs.provider import CLIENT, SECRET, Provider, providing
from tests.stubs.server import Reply

pytestmark = pytest.mark.anyio


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@pytest.fixture
def desk_with(parts_for: Callable[..., Parts], provider: Provider) -> Parts:
    return parts_for(
        sign_in={"issuer": provider.url, "client_id": CLIENT, "client_secret": SECRET, "title": "the company account"}
    )


def add(parts: Parts, name: str, rights: Rights = Rights.REVIEWER) -> None:
    parts.database.call(users.add, name, rights, "tests", utcnow())


async def arrive(server: Running, provider: Provider, query: str | None = None) -> tuple[Person, Any]:
    """Go to the provider and come back; return the browser and what it got."""
    person = Person(server)
    left = await person.client.get("/oidc?next=/report")
    assert left.status_code == 302, left.text
    assert left.headers["location"].startswith(f"{provider.url}/authorize?")
    back = provider.visit(left.headers["location"])
    return person, await person.client.get(f"/oidc/back?{back if query is None else query}")


async def test_whoever_has_an_account_is_let_in_and_goes_on(desk_with: Parts, desk: Desk, provider: Provider) -> None:
    add(desk_with, "Kim@Example.org")
    async with running(desk_with, desk) as server:
        assert "Sign in with the company account" in await Person(server).see("/sign-in")
        person, answer = await arrive(server, provider)
        assert (answer.status_code, answer.headers["location"]) == (303, "/report")
        assert provider.asked["redirect_uri"].endswith("/oidc/back")
        assert provider.asked["code_challenge_method"] == "S256"
        assert "Kim@Example.org" in await person.see("/account")
        assert (await person.client.get("/users")).status_code == 403, "rights are those of the account here"
        log = desk_with.database.call(lambda s: [(a.who, a.action) for a in s.exec(select(Audit))])
        assert log[1:] == [("Kim@Example.org", "provider"), ("Kim@Example.org", "signed_in")]


async def test_whoever_has_none_or_a_disabled_one_is_not_let_in(
    desk_with: Parts, desk: Desk, provider: Provider
) -> None:
    async with running(desk_with, desk) as server:
        person, answer = await arrive(server, provider)
        assert (answer.status_code, "no account here" in answer.text) == (403, True)
        assert "rolecall" not in person.client.cookies
        add(desk_with, "kim@example.org")
        desk_with.database.call(users.disable, "kim@example.org", "tests", utcnow())
        assert (await arrive(server, provider))[1].status_code == 403


async def test_an_account_is_its_first_owners_even_if_another_gets_the_name(
    desk_with: Parts, desk: Desk, provider: Provider
) -> None:
    add(desk_with, "kim@example.org")
    async with running(desk_with, desk) as server:
        assert (await arrive(server, provider))[1].status_code == 303
        provider.claims = {"sub": "person-2"}
        assert (await arrive(server, provider))[1].status_code == 403
        provider.claims = {"email": "kim.new@example.org", "email_verified": "true"}
        assert (await arrive(server, provider))[1].status_code == 303, "and hers under a new name"
        desk_with.database.call(users.disable, "kim@example.org", "tests", utcnow())
        assert (await arrive(server, provider))[1].status_code == 403


LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "of another time"},
    "no nonce": {"nonce": None},
    "for another application": {"aud": "another"},
    "of another issuer": {"iss": "https://elsewhere.test"},
    "too old": {"exp": int(time.time()) - 3_600},
    "without an end": {"exp": None},
    "of nobody": {"sub": None},
    "no address": {"email": None},
    "an address that nobody checked": {"email_verified": False},
    "an address that nobody checked, in words": {"email_verified": "false"},
    "an address of which nothing is said": {"email_verified": None},
    "an address that is none": {"email": ["kim@example.org"]},
}


async def test_what_does_not_hold_lets_nobody_in(desk_with: Parts, desk: Desk, provider: Provider) -> None:
    add(desk_with, "kim@example.org")
    async with running(desk_with, desk) as server:
        for lie, claims in LIES.items():
            provider.claims = claims
            person, answer = await arrive(server, provider)
            assert (answer.status_code, "rolecall" in person.client.cookies) == (403, False), lie


async def test_only_the_providers_own_signature_counts(desk_with: Parts, desk: Desk, provider: Provider) -> None:
    add(desk_with, "kim@example.org")
    async with running(desk_with, desk) as server:
        for key in (
            ECKey.generate_key("P-256", {"kid": "one"}),
            OctKey.import_key(SECRET),
            OctKey.import_key(json.dumps(provider.key.as_dict(private=False))),
        ):
            provider.signed_by = key
            assert (await arrive(server, provider))[1].status_code == 403
        provider.signed_by = None
        assert (await arrive(server, provider))[1].status_code == 303, "the control"


async def test_coming_back_needs_the_state_and_the_cookie_of_leaving(
    desk_with: Parts, desk: Desk, provider: Provider
) -> None:
    add(desk_with, "kim@example.org")
    async with running(desk_with, desk) as server:
        for query in ("", "code=agreed", "code=agreed&state=x", "error=access_denied", "code=wrong&state={state}"):
            person = Person(server)
            left = await person.client.get("/oidc")
            provider.visit(left.headers["location"])
            answer = await person.client.get(f"/oidc/back?{query.format(state=provider.asked['state'])}")
            assert answer.status_code == 403, query
        left = await Person(server).client.get("/oidc")
        answer = await Person(server).client.get(f"/oidc/back?{provider.visit(left.headers['location'])}")
        assert answer.status_code == 400, "another browser"
        person, answer = await arrive(server, provider)
        again = await person.client.get(f"/oidc/back?code=agreed&state={provider.asked['state']}")
        assert (answer.status_code, again.status_code) == (303, 400), "a code is good once"
        assert (await Person(server).client.get("/oidc?next=//evil.test")).status_code == 302


async def test_a_provider_that_is_down_keeps_nobody_from_using_a_password(
    desk_with: Parts, desk: Desk, provider: Provider
) -> None:
    described = "/.well-known/openid-configuration"
    async with running(desk_with, desk) as server:
        for reply in (Reply(500), Reply(200, []), Reply(200, b"\xff{"), Reply(200, {})):
            provider.answers[described] = reply
            answer = await Person(server).client.get("/oidc")
            assert (answer.status_code, "with your password" in answer.text) == (503, True), reply
        del provider.answers[described]
        assert (await Person(server).client.get("/oidc")).status_code == 302


GIVEN = {"access_token": "x", "token_type": "Bearer"}
UNEXPECTED = (
    ("/token", Reply(500)),
    ("/token", Reply(200, GIVEN)),
    ("/token", Reply(200, GIVEN | {"id_token": "x.y.z"})),
    ("/token", Reply(200, b"\xff")),
    ("/keys", Reply(200, {"keys": "x"})),
    ("/keys", Reply(404)),
)


async def test_answers_that_nobody_expects_let_nobody_in(desk_with: Parts, desk: Desk, provider: Provider) -> None:
    add(desk_with, "kim@example.org")
    async with running(desk_with, desk) as server:
        for path, reply in UNEXPECTED:
            provider.answers = {path: reply}
            assert (await arrive(server, provider))[1].status_code == 403, (path, reply)
        provider.answers = {}
        assert (await arrive(server, provider))[1].status_code == 303, "what it said before is asked anew"


async def test_without_a_provider_there_is_no_such_way(parts: Parts, desk: Desk) -> None:
    async with running(parts, desk) as server:
        assert "/oidc" not in await Person(server).see("/sign-in")
        assert (await Person(server).client.get("/oidc")).status_code == 404
        assert (await Person(server).client.get("/oidc/back?code=x&state=y")).status_code == 400


@pytest.mark.parametrize(
    "given",
    [
        {"issuer": "https://login.example.org"},
        {"issuer": "http://login.example.org", "client_id": "x", "client_secret": "y"},
        {"client_id": "x"},
        {"issuer": "login", "client_id": "x", "client_secret": "y"},
    ],
)
def test_settings_that_are_half_or_unsafe_are_faults(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SignInSettings(**given)  # type: ignore[arg-type]
