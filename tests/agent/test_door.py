"""The door takes webhooks in while the rest of a server is being loaded; nothing is lost, and nothing is done twice."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event as Gate

import httpx
import pytest
from starlette.applications import Starlette

from agent.app import Server
from agent.core import Parts
from agent.door import STARTING, Door
from agent.errors import BadInput, NotPossibleYet, RolecallError
from agent.store import status
from agent.web.health import LOADING
from agent.work.background import failures
from connectors.events import Event
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS
from tests.serving_app import Running, running, unharmed

pytestmark = pytest.mark.anyio

NOT_AT_THE_DOOR = ("numpy", "onnxruntime", "tokenizers", "fastapi", "jinja2", "apscheduler", "argon2")


def opening(parts: Parts, desk: Desk, gate: Gate, loaded: Gate | None = None) -> Starlette:
    """Return a server that is loaded once the gate is open; `loaded` opens then."""
    door = Door(parts.settings, parts.directory, parts.database, {desk.source: desk})

    def load() -> Server:
        assert gate.wait(PATIENCE_SECONDS)
        server = Server(door, parts, ("false",))
        if loaded is not None:
            loaded.set()
        return server

    return door.opening(load)


@asynccontextmanager
async def client_of(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://rolecall") as client,
    ):
        yield client


async def deliver(client: httpx.AsyncClient, desk: Desk, event: Event) -> int:
    told = json.dumps([(event.kind, event.delivery_id)])
    return (await client.post(f"/hooks/{desk.source}/{desk.secret}", content=told)).status_code


async def test_a_webhook_is_kept_while_the_rest_is_loaded_and_worked_off_then(parts: Parts, desk: Desk) -> None:
    gate, event = Gate(), desk.create("VPN is down")
    app = opening(parts, desk, gate)
    with unharmed():
        async with client_of(app) as client:
            assert await deliver(client, desk, event) == 202
            assert await deliver(client, desk, event) == 200  # known already
            assert (await client.get("/healthz")).text == "ok\n"
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()) == (
                200,
                {"status": "ready", "model": LOADING, "events": {"waiting": 1}},
            )
            page = asyncio.create_task(client.get("/metrics"))
            await asyncio.sleep(0)
            assert not page.done()
            assert desk.comments("1") == []
            gate.set()
            assert "rolecall_deliveries_total" in (await page).text  # the same request, answered later
            await Running(parts, client, desk).idle()
            assert (await client.get("/readyz")).json()["model"] != LOADING
            assert (await client.get("/nowhere")).status_code in (303, 404)
    assert len(desk.comments("1")) == 1


async def test_who_stops_it_while_it_loads_loses_nothing(parts_for: Callable[..., Parts], desk: Desk) -> None:
    settled = {"work": {"settle_seconds": 0.2}, "triage": {"silent_below": 0.2}}
    gate, loaded = Gate(), Gate()
    app = opening(parts_for(**settled), desk, gate, loaded)
    with unharmed():
        async with client_of(app) as client:
            assert await deliver(client, desk, desk.create("VPN is down")) == 202
    gate.set()  # the server is gone: what it loads now is nobody's
    assert await asyncio.to_thread(loaded.wait, PATIENCE_SECONDS)  # two that load at once are never in one process
    assert desk.comments("1") == []
    async with running(parts_for(**settled), desk) as server:
        assert (await server.parts.database.read(status.counts)) != {}
        await server.idle()
    assert len(desk.comments("1")) == 1


async def test_what_goes_wrong_while_it_loads_ends_the_server_with_that_error(parts: Parts, desk: Desk) -> None:
    ends: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: ends.append(number))
    door = Door(parts.settings, parts.directory, parts.database, {desk.source: desk})

    def load() -> Server:
        raise NotPossibleYet("something is missing")

    try:
        async with client_of(door.opening(load)):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not ends:
                    await asyncio.sleep(0.01)
        assert [str(error) for error in failures] == ["something is missing"]
    finally:
        failures.clear()
        signal.signal(signal.SIGTERM, before)


async def test_who_asks_for_more_than_is_loaded_is_asked_to_come_again(
    parts: Parts, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.door.STARTING_SECONDS", 0.0)
    gate = Gate()
    async with client_of(opening(parts, desk, gate)) as client:
        answer = await client.get("/v1/models")
    gate.set()
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (503, f"{STARTING}\n", "5")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("sections", "file", "error"),
    [
        ({"sign_in": {"issuer": "https://id.example", "client_id": "c", "client_secret": "s"}}, None, NotPossibleYet),
        ({"writing": {"llm_url": "http://127.0.0.1:1", "llm_model": "m"}}, None, NotPossibleYet),
        ({}, "en.toml", BadInput),
        ({"language": "de"}, "comments.de.toml", BadInput),
    ],
)
def test_what_is_set_wrongly_is_known_before_it_opens(
    parts_for: Callable[..., Parts],
    monkeypatch: pytest.MonkeyPatch,
    sections: dict[str, object],
    file: str | None,
    error: type[RolecallError],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("agent.packages.find_spec", lambda _module: None)
    parts = parts_for(texts=tmp_path, **sections)
    if file:
        (tmp_path / file).write_text("no = 1\n")
    with pytest.raises(error):
        Door(parts.settings, parts.directory, parts.database, {})


def test_the_door_loads_nothing_that_only_the_rest_needs() -> None:
    code = (
        "import json, sys, agent.cli.serve, agent.core, agent.door, agent.web.server, agent.pages.signing.first\n"
        f"print(json.dumps([name for name in {NOT_AT_THE_DOOR} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
