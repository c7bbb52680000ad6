"""A running server takes up new secrets without a restart, and outages of their source leave it as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import pytest
import trustme
from structlog.testing import capture_logs

from agent.app import create_app
from agent.config.loading import load
from agent.config.rotation import Rotation
from agent.config.secrets import Secrets
from agent.config.settings import Settings
from agent.core import Parts, connect
from connectors.base import Connector
from tests.patience import PATIENCE_SECONDS
from tests.stubs import infisical as stubs
from tests.stubs.server import Asked, Reply, serving

pytestmark = pytest.mark.anyio

TOKEN = "ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN"
HOOKS = "ROLECALL_CONNECTORS__DJANGO_HELPDESK__WEBHOOK_SECRETS"
OLD, NEW = "old-secret-old-secret", "new-secret-new-secret"

Reload = Callable[[], Settings]
Status = Callable[[str], Awaitable[int]]


@pytest.fixture
def vault() -> Iterator[stubs.Infisical]:
    with stubs.infisical() as stub:
        stub.folders["/"] = {TOKEN: "token-1", HOOKS: f'["{OLD}"]'}
        yield stub


@dataclass
class Helpdesk:
    """A desk without tickets that notes which tokens it was shown."""

    url: str = ""
    tokens: list[str] = field(default_factory=list)

    def answer(self, asked: Asked) -> Reply:
        self.tokens.append(asked.headers["authorization"])
        return Reply(200, {"count": 0, "next": None, "previous": None, "results": []})


@pytest.fixture
def helpdesk() -> Iterator[Helpdesk]:
    desk = Helpdesk()
    with serving(desk.answer) as desk.url:
        yield desk


@pytest.fixture
def reload(tmp_path: Path, vault: stubs.Infisical, helpdesk: Helpdesk) -> Reload:
    file = tmp_path / "agent.toml"
    file.write_text(
        f'[secrets]\nrefresh_seconds = 1\n[connectors.django-helpdesk]\nurl = "{helpdesk.url}"\nauthor_id = 2\n'
    )
    return partial(load, file, vault.variables, None, secrets=Secrets())


@asynccontextmanager
async def running(parts_for: Callable[..., Parts], reload: Reload) -> AsyncIterator[Status]:
    """Run a server, and yield what posts a delivery that is no JSON: 400 where it is authentic, else 401."""
    settings = reload()
    parts = parts_for(secrets=settings.secrets, connectors=settings.connectors)
    app = create_app(parts, connect(settings), ("false",), reload)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rolecall") as client,
    ):

        async def status(secret: str) -> int:
            return (await client.post(f"/hooks/django-helpdesk/{secret}", content=b"not json")).status_code

        yield status


async def until(status: Status, secret: str, expected: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await status(secret) != expected:
            await asyncio.sleep(0.05)


async def test_a_rotated_webhook_secret_is_taken_and_the_old_one_refused_without_a_restart(
    parts_for: Callable[..., Parts], reload: Reload, vault: stubs.Infisical
) -> None:
    async with running(parts_for, reload) as status:
        assert (await status(OLD), await status(NEW)) == (400, 401)
        vault.folders["/"][HOOKS] = f'["{NEW}"]'
        await until(status, NEW, 400)
        assert await status(OLD) == 401


async def test_while_two_secrets_are_listed_both_are_taken(
    parts_for: Callable[..., Parts], reload: Reload, vault: stubs.Infisical
) -> None:
    async with running(parts_for, reload) as status:
        vault.folders["/"][HOOKS] = f'["{NEW}", "{OLD}"]'
        await until(status, NEW, 400)
        assert await status(OLD) == 400


@asynccontextmanager
async def rotating(reload: Reload) -> AsyncIterator[tuple[Rotation, dict[str, Connector]]]:
    settings = reload()
    connectors = connect(settings)
    rotation = Rotation(settings, connectors, reload)
    try:
        yield rotation, connectors
    finally:
        await rotation.aclose()
        for connector in connectors.values():
            await connector.aclose()


async def test_calls_carry_the_new_token_and_work_in_hand_keeps_the_old_one(
    reload: Reload, vault: stubs.Infisical, helpdesk: Helpdesk
) -> None:
    async with rotating(reload) as (rotation, connectors):
        in_hand = connectors["django-helpdesk"]
        vault.folders["/"][TOKEN] = "token-2"
        await rotation.refresh()
        await connectors["django-helpdesk"].check()
        assert set(helpdesk.tokens) == {"Token token-2"}
        helpdesk.tokens.clear()
        await in_hand.check()
        assert set(helpdesk.tokens) == {"Token token-1"}


async def test_nothing_is_connected_anew_while_nothing_has_changed(reload: Reload) -> None:
    async with rotating(reload) as (rotation, connectors):
        before = dict(connectors)
        await rotation.refresh()
        assert connectors == before


@pytest.mark.parametrize("value", ['["short"]', "no list", None])
async def test_a_secret_that_became_faulty_or_vanished_changes_nothing_and_is_never_shown(
    reload: Reload, vault: stubs.Infisical, value: str | None
) -> None:
    async with rotating(reload) as (rotation, connectors):
        before = dict(connectors)
        del vault.folders["/"][HOOKS]
        if value:
            vault.folders["/"][HOOKS] = value
        with capture_logs() as logs:
            await rotation.refresh()
        assert connectors == before
    assert [entry["event"] for entry in logs] == ["settings_kept"]
    assert "webhook_secrets" in logs[0]["reason"]
    assert value is None or value.strip('[]"') not in str(logs)


async def test_an_outage_changes_nothing_and_afterwards_new_secrets_are_taken(
    reload: Reload, vault: stubs.Infisical
) -> None:
    async with rotating(reload) as (rotation, connectors):
        before = dict(connectors)
        vault.folders["/"][TOKEN] = "token-2"
        vault.faults = [stubs.refusal(400, "BadRequest", "no")]
        await rotation.refresh()
        assert connectors == before
        await rotation.refresh()
        assert connectors != before


async def test_a_certificate_that_cannot_be_used_keeps_the_connector_until_it_can(
    tmp_path: Path, reload: Reload, vault: stubs.Infisical
) -> None:
    async with rotating(reload) as (rotation, connectors):
        before = dict(connectors)
        (tmp_path / "ca.pem").write_text("not a certificate")
        vault.folders["/"]["ROLECALL_CONNECTORS__DJANGO_HELPDESK__CA_FILE"] = str(tmp_path / "ca.pem")
        await rotation.refresh()
        assert connectors == before
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        await rotation.refresh()
        assert connectors != before
