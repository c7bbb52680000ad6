"""Systems that give a token for a log-in: it is asked for once, and once more where it is refused."""

from __future__ import annotations

import json

import httpx
import pytest
from pydantic import TypeAdapter

from connectors.errors import Permanent, Transient
from connectors.manifest.catalogue import Kind, document_of, kind_of
from connectors.manifest.connector import ManifestConnector
from tests.connectors.systems.plants import Atlas

pytestmark = pytest.mark.anyio

LOG_IN = {
    "by": "login",
    "post": "auth/signin",
    "body": {"email": "{email}", "password": "{password}"},
    "token": "accessToken",
    "value": "Bearer {session}",
}


class WithPassword(Atlas):
    """Atlas as its web application signs in: only the newest token is accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.log_ins = 0
        self.given: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/signin":
            if self.given is not None:
                return self.given
            if json.loads(request.content) != {"email": "rolecall@example.test", "password": "right"}:
                return httpx.Response(403, json={"message": "Invalid credentials"})
            self.log_ins += 1
            return httpx.Response(200, json={"accessToken": f"token-{self.log_ins}"})
        if request.headers.get("authorization") != f"Bearer token-{self.log_ins}":
            return httpx.Response(401, json={"message": "Expired"})
        return super().__call__(request)


def with_password() -> Kind:
    document = document_of("atlas")
    document["secrets"] = ["password"]
    document["settings"]["email"] = {"says": "the e-mail address of Rolecall's own user"}
    document["api"]["auth"] = LOG_IN
    return kind_of("atlas-by-password", document)


def connect(fake: WithPassword, password: str = "right") -> ManifestConnector:
    made = with_password()
    given = {"url": fake.url, **fake.settings, "email": "rolecall@example.test", "password": password}
    settings = TypeAdapter(made.settings).validate_python(given | {"webhook_secrets": "s" * 20, "author_id": "99"})
    client = httpx.AsyncClient(base_url="https://atlas-api.example.test", transport=httpx.MockTransport(fake))
    return ManifestConnector("atlas", "plant", made.manifest, settings, client)


async def test_it_logs_in_once_and_again_after_the_token_is_refused() -> None:
    fake = WithPassword()
    connector, ticket = connect(fake), str(fake.file("Pump 7 leaks").id)
    for _ in range(2):
        assert (await connector.read_ticket(ticket)).subject == "Pump 7 leaks"
    assert fake.log_ins == 1
    fake.log_ins = 7  # what was given before is of no use any more
    await connector.read_ticket(ticket)
    await connector.post_comment(ticket, "Role: Hydraulics")
    assert fake.log_ins == 8


async def test_a_wrong_password_and_an_answer_without_a_token_are_told() -> None:
    fake = WithPassword()
    with pytest.raises(Permanent, match="POST auth/signin: answered 403: the log-in is not accepted"):
        await connect(fake, "wrong").read_ticket("101")
    for answer in (httpx.Response(200, json={}), httpx.Response(200, text="<html>"), httpx.Response(200, json=[])):
        fake.given = answer
        with pytest.raises(Permanent, match="POST auth/signin"):
            await connect(fake).read_ticket("101")
    fake.given = httpx.Response(502)
    with pytest.raises(Transient):
        await connect(fake).read_ticket("101")
