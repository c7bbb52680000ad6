"""`rolecall connectors record`: fixtures of real deliveries, which `test` runs, and which tell nobody anything."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from agent.cli.recording import recorder
from agent.config.loading import load
from agent.errors import BadInput, NotPossibleYet
from connectors.events import Delivery
from tests.agent.cli.test_systems import PRESETS, SETTINGS, folder, run
from tests.connectors.systems.installed import raw, signed

__all__ = ["folder"]
ISSUES = ("--header", "X-GitHub-Event: issues")
NAME, TEXT = "erika.mustermann", "Erika Mustermann has no water"


def body_of(example: str) -> dict[str, object]:
    body: dict[str, object] = json.loads((PRESETS / f"examples/github/{example}.json").read_text())["body"]
    return body


def payload(folder: Path, example: str) -> str:
    body = body_of(example)
    issue = body["issue"]
    assert isinstance(issue, dict)
    issue |= {"title": TEXT, "body": TEXT, "user": {"id": 7_654_321, "login": NAME}}
    (folder / "payload.json").write_text(json.dumps(body | {"sender": {"id": 7_654_321, "login": NAME}}))
    return str(folder / "payload.json")


def test_a_payload_becomes_a_fixture_that_test_runs_and_that_names_nobody(folder: Path) -> None:
    for number in (1, 2):
        told = run(folder, "record", "plant", payload(folder, "created"), *ISSUES)
        assert f"created_{number}.json: read it before you give it away" in told.output.replace("\n", "")
    written = [file.read_text() for file in sorted((folder / "connectors/examples/github").iterdir())]
    assert len(written) == 2
    for text in written:
        assert not any(part in text for part in (NAME, "Mustermann", "water", "7654321", "nordhafen"))
        assert json.loads(text)["events"][0]["kind"] == "created"
    lines = run(folder, "test", "plant").output.splitlines()
    assert [line.split()[:2] for line in lines if "created_" in line] == [["ok", "created_1:"], ["ok", "created_2:"]]
    assert sum(line.startswith("ok") for line in lines) > 2, "the shipped ones are run, too"


def test_a_fixture_that_says_something_else_fails_the_test_command(folder: Path) -> None:
    run(folder, "record", "plant", payload(folder, "created"), *ISSUES)
    file = folder / "connectors/examples/github/created_1.json"
    file.write_text(file.read_text().replace('"created"', '"closed"'))
    told = run(folder, "test", "plant")
    assert (told.exit_code, "FAIL created_1" in told.output) == (1, True)
    file.write_text("[]")
    assert isinstance(run(folder, "test", "plant").exception, BadInput)


def test_what_is_no_delivery_is_not_recorded_and_leaves_no_file(folder: Path) -> None:
    (folder / "payload.json").write_text('{"hello": "world"}')
    told = run(folder, "record", "plant", str(folder / "payload.json"))
    assert isinstance(told.exception, NotPossibleYet)
    assert "is not recorded: not a delivery of GitHub" in str(told.exception)
    assert isinstance(run(folder, "record", "plant", str(folder / "missing.json")).exception, BadInput)
    assert not (folder / "connectors").exists()
    assert "is no connector of" in str(run(folder, "record", "github").exception), "nobody knows its secrets"


def app_of(folder: Path, kept: list[Delivery]) -> Starlette:
    secrets = {"TOKEN": "t", "WEBHOOK_SECRETS": "0123456789abcdef"}
    (folder / "agent.toml").write_text(SETTINGS)
    environ = {f"ROLECALL_CONNECTORS__PLANT__{name}": value for name, value in secrets.items()}
    connector = load(folder / "agent.toml", environ, None).connectors["plant"].connect("plant")

    def keep(delivery: Delivery) -> str:
        kept.append(delivery)
        return "kept"

    return recorder("plant", connector, keep)


@pytest.mark.anyio
async def test_only_authentic_deliveries_are_listened_to(tmp_path: Path) -> None:
    kept: list[Delivery] = []
    transport = httpx.ASGITransport(app=app_of(tmp_path, kept))
    async with httpx.AsyncClient(transport=transport, base_url="http://rolecall.test") as client:
        statuses = []
        for secret in ("0123456789abcdef", "another-secret-16"):
            sent = signed("github", raw(body_of("created")), secret, {"X-GitHub-Event": "issues"}, "")
            for path in ("/hooks/plant", "/hooks/other"):
                answer = await client.post(path, content=sent.body, headers=dict(sent.headers))
                statuses.append(answer.status_code)
        large = await client.post("/hooks/plant", content=b"x" * 1_100_000)
        asked = [(await client.head(path)).status_code for path in ("/hooks/plant", "/hooks/plant/x")]
    assert statuses == [200, 404, 401, 404]
    assert (large.status_code, asked) == (413, [200, 200])
    assert [delivery.headers["x-github-event"] for delivery in kept] == ["issues"]


ASANA = """
[server]
public_url = "https://rolecall.example.org"
[connectors.plant]
kind = "asana"
url = "https://app.asana.com"
project = "7"
workspace = "3"
"""


@pytest.mark.anyio
async def test_a_challenge_is_answered_as_the_server_does_and_is_no_fixture(folder: Path) -> None:
    (folder / "agent.toml").write_text(ASANA)
    connector = load(folder / "agent.toml").connectors["plant"].connect("plant")

    def keep(delivery: Delivery) -> str:
        connector.parse(delivery)
        return "kept"

    transport = httpx.ASGITransport(app=recorder("plant", connector, keep))
    async with httpx.AsyncClient(transport=transport, base_url="http://rolecall.test") as client:
        asked = {"X-Hook-Secret": "b537207f"}
        told = await client.post("/hooks/plant/0123456789abcdef", headers=asked)
        refused = await client.post("/hooks/plant/another-secret-16", headers=asked)
    assert (told.status_code, told.headers["x-hook-secret"]) == (200, "b537207f")
    assert (refused.status_code, "x-hook-secret" in refused.headers) == (401, False)
    (folder / "payload.json").write_text("")
    once = run(folder, "record", "plant", str(folder / "payload.json"), "--header", "X-Hook-Secret: b537207f")
    assert "is not recorded: the system asked whether we are there" in str(once.exception)
    assert not (folder / "connectors").exists()
