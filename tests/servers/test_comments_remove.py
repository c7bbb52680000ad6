"""`rolecall comments remove` on a real django-helpdesk: ours go, what a person wrote stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from agent.cli import app
from agent.data_directory import DataDirectory
from agent.errors import BadInput
from agent.notes.speak import Speaker
from agent.store.database import Database
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from tests.desk import note

pytestmark = pytest.mark.xdist_group("helpdesk")


@pytest.fixture
def options(tmp_path: Path, settings: DjangoHelpdeskSettings) -> list[str]:
    (tmp_path / "agent.toml").write_text(
        f'[connectors.django-helpdesk]\nurl = "{settings.url}"\ntoken = "{settings.token}"\n'
        f'webhook_secrets = "{settings.webhook_secrets[0]}"\nauthor_id = {settings.author_id}\n'
    )
    return ["--config", str(tmp_path / "agent.toml"), "--data", str(tmp_path / "data")]


def test_a_trial_ends(
    tmp_path: Path,
    options: list[str],
    settings: DjangoHelpdeskSettings,
    tech: httpx.Client,
    file_ticket: Callable[..., str],
) -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["comments", "remove", *words, *options], env={"COLUMNS": "200"})
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    numbers = [file_ticket() for _ in range(3)]
    DataDirectory(tmp_path / "data").create()
    database = Database.open_file(DataDirectory(tmp_path / "data").database)

    async def comment() -> None:
        connector = DjangoHelpdesk("django-helpdesk", settings)
        speaker = Speaker(database, DataDirectory(tmp_path / "data").key(), timedelta(0))
        for number in numbers:
            await speaker.say(connector, await connector.read_ticket(number), note("Network"))
        await connector.aclose()

    asyncio.run(comment())
    database.close()

    def notes(number: str) -> list[str]:
        return [f["comment"] for f in tech.get(f"/api/tickets/{number}/").json()["followup_set"][1:]]

    ours = tech.get(f"/api/tickets/{numbers[1]}/").json()["followup_set"][1]
    tech.patch(f"/api/followups/{ours['id']}/", json={"comment": f"Kim knows.\n\n{ours['comment']}"})
    assert "django-helpdesk: 3" in run("--dry-run")
    assert [len(notes(number)) for number in numbers] == [1, 1, 1]
    said = run("--yes")
    assert "removed: 2" in said
    assert "left with what a person wrote into them, and nothing of ours: 1" in said
    assert [notes(number) for number in numbers] == [[], ["Kim knows.\n\nNetwork"], []]
    assert "django-helpdesk: 0" in run("--yes")


def test_a_connector_that_there_is_not_is_named(options: list[str]) -> None:
    result = CliRunner().invoke(app, ["comments", "remove", "--connector", "plant", *options])
    assert isinstance(result.exception, BadInput)
    assert "rolecall connectors list" in str(result.exception)
